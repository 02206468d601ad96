"""Staffing and transfers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0004"
down_revision = "0003"

PLACE = sa.Text(collation="C")
ID = UUID(as_uuid=True)
INSTANT = sa.DateTime(timezone=True)
# Who was where, and what was decided, must stay answerable: no role may delete it.
KEPT = ("SELECT", "INSERT", "UPDATE")
EMPLOYMENT = "'ON_DUTY', 'LEFT', 'RETIRED', 'SECONDED', 'SICK_LEAVE', 'MATERNITY_LEAVE', 'ABROAD', 'DECEASED'"


def upgrade() -> None:
    add_employment()
    create_staff_count()
    create_person_merge()
    create_learner_number()
    create_transfer()
    create_hold()


def add_employment() -> None:
    op.add_column("membership", sa.Column("employment", sa.Text, nullable=False, server_default="ON_DUTY"))
    op.add_column("membership", sa.Column("employment_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        "membership",
        sa.Column("employment_at", INSTANT, nullable=False, server_default=sa.text("'1970-01-01T00:00:00Z'")),
    )
    op.create_check_constraint("membership_employment", "membership", f"employment IN ({EMPLOYMENT})")
    # A page of any list is a short range of one of these. Which list a row is in is in the condition or in the columns
    # before the place, so that a page never reads what it does not show: of a million teachers, the last page costs what the
    # first does.
    present = "state IN ('PENDING', 'VERIFIED') AND employment = 'ON_DUTY'"
    # A column, so that only the list of those who are present can use that list's index. As a condition, the search for who
    # waits would imply it, and near the end of the table the planner took the smallest index that might do: a page of who
    # waits then read two thousand rows of who does not.
    op.execute(f"ALTER TABLE membership ADD COLUMN present boolean NOT NULL GENERATED ALWAYS AS ({present}) STORED")
    op.create_index(
        "membership_present", "membership", ["present", "place", "teacher_id"], postgresql_where=sa.text("present")
    )
    op.create_index("membership_state", "membership", ["state", "employment", "place", "teacher_id"])
    op.create_index(
        "membership_archived",
        "membership",
        ["employment", "place", "teacher_id"],
        postgresql_where=sa.text("employment <> 'ON_DUTY'"),
    )
    op.create_index(
        "membership_waiting",
        "membership",
        ["place", "changed_at", "teacher_id"],
        postgresql_where=sa.text("state = 'PENDING'"),
    )


def create_staff_count() -> None:
    op.create_table(
        "staff_count",
        sa.Column("place", PLACE, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("employment", sa.Text, primary_key=True),
        sa.Column("teachers", sa.BigInteger, nullable=False),
    )
    row_security.protect(op, "staff_count", place="place", app_rights=("SELECT",))
    op.create_table(
        "staff_count_change",
        sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("employment", sa.Text, nullable=False),
        sa.Column("teachers", sa.BigInteger, nullable=False),
    )
    op.create_index("staff_count_change_place", "staff_count_change", ["place"])
    # Who is there already counts too. The owner is bound by row security like everybody, so for this moment it is not.
    op.execute("ALTER TABLE membership NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO staff_count_change (place, state, employment, teachers)
        SELECT place, state, employment, count(*) FROM membership GROUP BY place, state, employment
    """)
    op.execute("ALTER TABLE membership FORCE ROW LEVEL SECURITY")
    # Whoever changes a membership leaves its change, also where a rule elsewhere let him; who may see it is another matter.
    row_security.protect(
        op,
        "staff_count_change",
        app="app_covers(staff_count_change.place)",
        check="true",
        app_rights=("SELECT", "INSERT"),
    )
    # In the database, because memberships change in many ways (a school that moves takes all of its teachers along in one
    # statement), and a count that one of them forgot would stay wrong for ever.
    op.execute("""
        CREATE FUNCTION note_staff_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO staff_count_change (place, state, employment, teachers)
                SELECT place, state, employment, count(*) FROM now_there GROUP BY place, state, employment;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO staff_count_change (place, state, employment, teachers)
                SELECT place, state, employment, -count(*) FROM was_there GROUP BY place, state, employment;
            ELSE
                INSERT INTO staff_count_change (place, state, employment, teachers)
                SELECT place, state, employment, sum(one)
                FROM (SELECT place, state, employment, 1 AS one FROM now_there
                      UNION ALL SELECT place, state, employment, -1 FROM was_there) AS both_sides
                GROUP BY place, state, employment HAVING sum(one) <> 0;
            END IF;
            RETURN NULL;
        END $$
    """)
    for operation, tables in (
        ("INSERT", "NEW TABLE AS now_there"),
        ("DELETE", "OLD TABLE AS was_there"),
        ("UPDATE", "OLD TABLE AS was_there NEW TABLE AS now_there"),
    ):
        op.execute(
            f"CREATE TRIGGER membership_counted_{operation.lower()} AFTER {operation} ON membership"
            f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION note_staff_change()"
        )


def create_person_merge() -> None:
    op.create_table(
        "person_merge",
        sa.Column("merged_id", ID, primary_key=True),
        sa.Column("kept_id", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("merged_state", sa.Text),
        sa.Column("merged_school_id", ID),
        sa.Column("kept_state", sa.Text),
        sa.Column("kept_school_id", ID),
        sa.Column("kept_employment", sa.Text),
        sa.Column("kept_version", sa.Integer),
    )
    op.create_index("person_merge_kept", "person_merge", ["kept_id"])
    row_security.protect(op, "person_merge", app="false", app_rights=(), worker_rights=KEPT)


def create_learner_number() -> None:
    op.create_table(
        "learner_number",
        sa.Column("account_id", ID, primary_key=True),
        sa.Column("learner_no", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    row_security.protect(op, "learner_number", person="account_id", app_rights=("SELECT",))


def create_transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("transfer_id", ID, primary_key=True),
        sa.Column("teacher_id", ID, nullable=False),
        sa.Column("from_school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("from_place", PLACE, nullable=False),
        sa.Column("to_school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("to_place", PLACE, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("level IN ('DISTRICT', 'CITY', 'PROVINCE', 'NATION')", name="transfer_level"),
        sa.CheckConstraint("state IN ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN')", name="transfer_state"),
        sa.CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name="transfer_decided"),
        sa.CheckConstraint("from_school_id <> to_school_id", name="transfer_schools"),
    )
    pending = sa.text("state = 'PENDING'")
    # Whatever the code above it does, a teacher has one open transfer.
    op.create_index("transfer_open", "transfer", ["teacher_id"], unique=True, postgresql_where=pending)
    op.create_index("transfer_to_decide", "transfer", ["place", "transfer_id"], postgresql_where=pending)
    op.create_index("transfer_from", "transfer", ["from_place", "transfer_id"])
    op.create_index("transfer_to", "transfer", ["to_place", "transfer_id"])
    op.create_index("transfer_teacher", "transfer", ["teacher_id", "transfer_id"])
    row_security.protect(
        op,
        "transfer",
        person="teacher_id",
        app="app_covers(transfer.from_place) OR app_covers(transfer.to_place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )


def create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("hold_id", ID, primary_key=True),
        sa.Column("teacher_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("lifted_by", sa.Text),
        sa.Column("lifted_at", INSTANT),
        sa.Column("lift_reason", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('SPECIAL_USER', 'CITY_ARREARS', 'DISTRICT_ARREARS')", name="hold_kind"),
        sa.CheckConstraint("state IN ('ACTIVE', 'LIFTED')", name="hold_state"),
        sa.CheckConstraint("(state = 'ACTIVE') = (lifted_at IS NULL)", name="hold_lifted"),
        sa.CheckConstraint("occurrence > 0", name="hold_occurrence"),
    )
    op.create_index(
        "hold_active", "hold", ["teacher_id", "kind"], unique=True, postgresql_where=sa.text("state = 'ACTIVE'")
    )
    op.create_index("hold_place", "hold", ["place", "hold_id"])
    # The institution that placed it keeps it; the school sees its own special users (S3:268).
    row_security.protect(
        op,
        "hold",
        person="teacher_id",
        place="place",
        placed_by="membership",
        check="app_covers(hold.place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )
