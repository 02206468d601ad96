"""Units: their life cycle, requests, tenant policies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0002"
down_revision = "0001"

PLACE = sa.Text(collation="C")
ID = UUID(as_uuid=True)
INSTANT = sa.DateTime(timezone=True)
# What was decided must stay answerable: no role may delete it.
KEPT = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    create_tenant_policy()
    change_school()
    change_contact()
    create_school_code()
    create_school_former_place()
    create_school_move()
    create_school_request()


def create_tenant_policy() -> None:
    op.create_table(
        "tenant_policy",
        sa.Column("policy_id", ID, primary_key=True),
        sa.Column("place", PLACE, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("max_school_admins", sa.Integer, nullable=False),
        sa.Column("profile_review", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("mode IN ('OPEN', 'GATED')", name="tenant_policy_mode"),
        sa.CheckConstraint("profile_review IN ('REQUIRED', 'NONE')", name="tenant_policy_review"),
        sa.CheckConstraint("max_school_admins BETWEEN 1 AND 20", name="tenant_policy_admins"),
    )
    # Whoever stands below has to know what holds for him; only those who keep the place decide it.
    protect_public("tenant_policy", adds="app_covers(tenant_policy.place)", changes="app_covers(tenant_policy.place)")


def change_school() -> None:
    op.add_column("school", sa.Column("merged_into", ID, sa.ForeignKey("school.school_id")))
    # The default is for 其他, for rows that are there already, and for processes of the version before during an update.
    op.add_column("school", sa.Column("changed_at", INSTANT, nullable=False, server_default=sa.func.now()))
    op.create_check_constraint("school_merged", "school", "(state = 'MERGED') = (merged_into IS NOT NULL)")
    # A suspended school resumes under its name, so nobody else takes it meanwhile.
    op.drop_index("school_name", "school")
    op.create_index(
        "school_name",
        "school",
        ["parent", "name"],
        unique=True,
        postgresql_where=sa.text("state IN ('DRAFT', 'ACTIVE', 'SUSPENDED')"),
    )
    # Lists of administrators: in the order of the tree, by what they look for.
    for column in ("state", "kind", "attachment"):
        op.create_index(f"school_{column}_place", "school", [column, "place"])
    op.execute("DROP POLICY app_scope ON school")
    add_public_policies("school", adds="app_covers(school.parent)", changes="app_covers(school.place)")
    op.execute(f"GRANT UPDATE ON school TO {row_security.roles_of(op).app}")


def change_contact() -> None:
    # Sealed by the service, which holds the keys; `head_name` keeps what was written before, until the job has sealed it.
    for column in ("head_name_sealed", "notice_name_sealed", "notice_mobile_sealed"):
        op.add_column("school_contact", sa.Column(column, sa.Text))
    op.alter_column("school_contact", "head_name", server_default="")
    op.create_index(
        "school_contact_unsealed", "school_contact", ["school_id"], postgresql_where=sa.text("head_name <> ''")
    )
    op.execute(f"GRANT UPDATE ON school_contact TO {row_security.roles_of(op).app}")


def create_school_code() -> None:
    op.create_table(
        "school_code",
        # Whatever became of its school: a void code is never used again.
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("void_at", INSTANT),
        sa.Column("void_reason", sa.Text),
        sa.CheckConstraint("(void_at IS NULL) = (void_reason IS NULL)", name="school_code_void"),
        sa.CheckConstraint(
            "void_reason IN ('RECODED', 'MERGED', 'CLOSED', 'MOVED', 'CORRECTED')", name="school_code_reason"
        ),
    )
    op.create_index(
        "school_code_held", "school_code", ["school_id"], unique=True, postgresql_where=sa.text("void_at IS NULL")
    )
    op.create_index("school_code_school", "school_code", ["school_id", "given_at"])
    # The owner is under forced row security like everybody, and would copy nothing.
    op.execute("ALTER TABLE school NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO school_code (code, school_id, given_at)"
        " SELECT code, school_id, created_at FROM school WHERE code IS NOT NULL"
    )
    op.execute("ALTER TABLE school FORCE ROW LEVEL SECURITY")
    holds = (
        "EXISTS (SELECT 1 FROM school AS holder WHERE holder.school_id = school_code.school_id"
        " AND app_covers(holder.place))"
    )
    # One that was typed wrong was never its school's: the rightful one may take it, wherever that stands.
    protect_public("school_code", adds=holds, changes=f"{holds} OR void_reason = 'CORRECTED'", becomes=holds)


def create_school_former_place() -> None:
    op.create_table(
        "school_former_place",
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), primary_key=True),
        sa.Column("until_at", INSTANT, primary_key=True),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("division_code", sa.Text, sa.ForeignKey("division.code"), nullable=False),
        sa.CheckConstraint("from_at <= until_at", name="school_former_place_dates"),
    )
    op.create_index("school_former_place_place", "school_former_place", ["place"])
    row_security.protect(
        op,
        "school_former_place",
        app="app_covers(school_former_place.place) OR EXISTS (SELECT 1 FROM school AS moved"
        " WHERE moved.school_id = school_former_place.school_id AND app_covers(moved.place))",
        app_rights=("SELECT",),
        worker_rights=("SELECT", "INSERT"),
    )


def create_school_move() -> None:
    op.create_table(
        "school_move",
        sa.Column("move_id", ID, primary_key=True),
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id"), nullable=False),
        sa.Column("from_parent", PLACE, nullable=False),
        sa.Column("to_parent", PLACE, nullable=False),
        sa.Column("to_division", sa.Text, sa.ForeignKey("division.code"), nullable=False),
        sa.Column("executing_place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("requested_by", ID, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("decided_by", ID),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('REQUESTED', 'EXECUTED', 'REJECTED', 'WITHDRAWN')", name="school_move_state"),
        sa.CheckConstraint("(state = 'REQUESTED') = (decided_at IS NULL)", name="school_move_decided"),
        sa.CheckConstraint("from_parent <> to_parent", name="school_move_elsewhere"),
        # Whatever the code above it does: who asked does not decide; he may only take it back.
        sa.CheckConstraint(
            "state = 'WITHDRAWN' OR decided_by IS DISTINCT FROM requested_by", name="school_move_two_people"
        ),
    )
    op.create_index(
        "school_move_open", "school_move", ["school_id"], unique=True, postgresql_where=sa.text("state = 'REQUESTED'")
    )
    for side in ("from_parent", "to_parent", "executing_place"):
        op.create_index(f"school_move_{side}", "school_move", [side, "move_id"])
    row_security.protect(
        op,
        "school_move",
        app="app_covers(school_move.from_parent) OR app_covers(school_move.to_parent)",
        app_rights=KEPT,
        worker_rights=KEPT,
    )


def create_school_request() -> None:
    op.create_table(
        "school_request",
        sa.Column("request_id", ID, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("division_code", sa.Text, sa.ForeignKey("division.code"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("school_type", sa.Text, nullable=False),
        sa.Column("town", sa.Text, nullable=False),
        sa.Column("askers", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("school_id", ID, sa.ForeignKey("school.school_id")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("decided_by", ID),
        sa.Column("decided_at", INSTANT),
        sa.CheckConstraint(
            "state IN ('OPEN', 'CREATED', 'FOUND', 'REJECTED', 'WITHDRAWN')", name="school_request_state"
        ),
        sa.CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="school_request_decided"),
        sa.CheckConstraint("(state IN ('CREATED', 'FOUND')) = (school_id IS NOT NULL)", name="school_request_answered"),
        sa.CheckConstraint("(askers > 0) = (state <> 'WITHDRAWN')", name="school_request_askers"),
    )
    # Colleagues who miss the same school ask once.
    op.create_index(
        "school_request_open",
        "school_request",
        ["place", "name_key"],
        unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index("school_request_place", "school_request", ["state", "place", "request_id"])
    op.create_table(
        "school_request_asker",
        sa.Column("request_id", ID, sa.ForeignKey("school_request.request_id"), primary_key=True),
        sa.Column("teacher_id", ID, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
    )
    op.create_index("school_request_asker_teacher", "school_request_asker", ["teacher_id", "request_id"])
    row_security.protect(
        op, "school_request_asker", person="teacher_id", place="place", app_rights=("SELECT",), worker_rights=KEPT
    )
    row_security.protect(
        op,
        "school_request",
        app="app_covers(school_request.place) OR EXISTS (SELECT 1 FROM school_request_asker AS asker"
        " WHERE asker.request_id = school_request.request_id AND asker.teacher_id = app_person())",
        check="app_covers(school_request.place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )


def protect_public(table: str, *, adds: str, changes: str, becomes: str = "") -> None:
    """Row security of a table that everybody may read and few may write; no role deletes from it."""
    row_security.protect(op, table, app="false", app_rights=KEPT, worker_rights=KEPT)
    op.execute(f"DROP POLICY app_scope ON {table}")
    add_public_policies(table, adds=adds, changes=changes, becomes=becomes)


def add_public_policies(table: str, *, adds: str, changes: str, becomes: str = "") -> None:
    """One policy for each act: in a single one, whoever may read a foreign row could make it one's own."""
    app = row_security.roles_of(op).app
    op.execute(f"CREATE POLICY app_reads ON {table} FOR SELECT TO {app} USING (true)")
    op.execute(f"CREATE POLICY app_adds ON {table} FOR INSERT TO {app} WITH CHECK ({adds})")
    op.execute(
        f"CREATE POLICY app_changes ON {table} FOR UPDATE TO {app} USING ({changes}) WITH CHECK ({becomes or changes})"
    )
