"""Selection: periods and offerings as the catalogue tells them, seats, baskets, choices, and what is counted of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0009"
down_revision = "0008"

SIGNED_IN = "app_person() IS NOT NULL"


def _instant(name):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name):
    return sa.Column(name, sa.Text, nullable=False)


def _place(name):
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _id(name):
    return sa.Column(name, sa.Uuid, nullable=False)


def upgrade():
    # Who a course is for is decided by segment and subject. Version 0: the next event, or a resync, brings them.
    op.add_column("learner", sa.Column("segment", sa.Text, nullable=False, server_default=""))
    op.add_column("learner", sa.Column("subject", sa.Text, nullable=False, server_default=""))
    op.execute("UPDATE learner SET version = 0")
    _create_projections()
    _create_choices()
    _create_totals()


def _create_projections():
    op.create_table(
        "period",
        sa.Column("period_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        *(_text(name) for name in ("code", "title", "tier")),
        _place("place"),
        sa.Column("year", sa.Integer, nullable=False),
        _text("state"),
        _instant("selects_from"),
        _instant("selects_until"),
        sa.Column("due_on", sa.Date, nullable=False),
    )
    op.create_index("period_until", "period", ["selects_until"])
    row_security.protect(op, "period", app=SIGNED_IN, app_rights=("SELECT",))
    op.create_table(
        "offering",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        _id("period_id"),
        _id("course_id"),
        *(_text(name) for name in ("course_no", "title", "hour_type", "course_type")),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("fee", sa.Numeric(10, 2), nullable=False),
        sa.Column("material_fee", sa.Numeric(10, 2), nullable=False),
        sa.Column("public_course", sa.Boolean, nullable=False),
        _id("charging_unit_id"),
        _place("charging_place"),
        sa.Column("capacity", sa.Integer),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("capability", sa.Boolean, nullable=False),
        _text("state"),
    )
    op.create_index("offering_period", "offering", ["period_id", "course_no"])
    row_security.protect(op, "offering", app=SIGNED_IN, app_rights=("SELECT",))


def _create_choices():
    op.create_table(
        "seats",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("capacity", sa.Integer),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.CheckConstraint("taken >= 0", name="seats_taken"),
    )
    # Room in each page, so that a new version of the row stands beside the old one and no index is touched.
    op.execute("ALTER TABLE seats SET (fillfactor = 20)")
    row_security.protect(op, "seats", app=SIGNED_IN, app_rights=("SELECT", "UPDATE"))
    op.create_table(
        "closed_period",
        sa.Column("period_id", sa.Uuid, primary_key=True),
        sa.Column("choices", sa.Integer, nullable=False),
        sa.Column("versions", sa.BigInteger, nullable=False),
        _instant("closed_at"),
    )
    row_security.protect(op, "closed_period", app=SIGNED_IN, app_rights=("SELECT",))
    op.create_table(
        "basket_line",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        _instant("added_at"),
    )
    row_security.protect(op, "basket_line", person="teacher_id")
    op.create_table(
        "choice",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        _id("choice_id"),
        _id("period_id"),
        sa.Column("version", sa.Integer, nullable=False),
        _id("school_id"),
        _place("place"),
        _place("charging_place"),
        _text("state"),
        _text("chosen_by"),
        _instant("chosen_at"),
        _instant("changed_at"),
        sa.Column("charge_version", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint(
            "state IN ('CHOSEN', 'CANCELLED', 'VOID', 'BILLED', 'ADMITTED', 'UNPAID', 'PASSED', 'FAILED')",
            name="choice_state",
        ),
    )
    op.create_index("choice_id", "choice", ["choice_id"], unique=True)
    op.create_index("choice_offering", "choice", ["offering_id", "choice_id"])
    # Where the teacher is now is looked up by its key (as in 0007). The charging institution sees what was chosen of its
    # courses, wherever the teacher has gone since.
    where = "(SELECT placed.place FROM placement AS placed WHERE placed.teacher_id = choice.teacher_id)"
    row_security.protect(
        op,
        "choice",
        app=f"choice.teacher_id = app_person() OR app_covers({where}) OR app_covers(choice.charging_place)",
        app_rights=("SELECT", "INSERT", "UPDATE"),
        worker_rights=("SELECT", "INSERT", "UPDATE"),
    )


def _create_totals():
    op.create_table(
        "choice_delta",
        sa.Column("delta_id", sa.BigInteger, sa.Identity(), primary_key=True),
        _id("offering_id"),
        _id("period_id"),
        _place("place"),
        _text("state"),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    # Whoever chooses is counted; reading what is counted is the totals'.
    row_security.protect(op, "choice_delta", app="false", check=SIGNED_IN, app_rights=("INSERT",))
    op.create_table(
        "choice_total",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        _id("period_id"),
        _place("parent"),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_index("choice_total_place", "choice_total", ["period_id", "place", "offering_id"])
    op.create_index("choice_total_parent", "choice_total", ["period_id", "parent", "place"])
    row_security.protect(op, "choice_total", place="place", app_rights=("SELECT",))
    owner = row_security.roles_of(op).owner
    op.execute(f"CREATE POLICY owner_reads ON choice_delta FOR SELECT TO {owner} USING (true)")
    # When the oldest delta was recorded says how old the totals are; it tells nobody's figures.
    op.execute("""
        CREATE FUNCTION oldest_choice_delta() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public
        RETURN (SELECT recorded_at FROM choice_delta ORDER BY delta_id LIMIT 1)
    """)
