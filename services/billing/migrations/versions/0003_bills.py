"""Periods, offerings and choices as others tell them; bills, their lines, notices and payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0003"
down_revision = "0002"

PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
YUAN = sa.Numeric(12, 2)
KEPT = ("SELECT", "INSERT", "UPDATE")
READ = ("SELECT",)


def upgrade() -> None:
    # A teacher may owe two districts at once: each keeps a hold of its own.
    op.drop_index("hold_active", "hold")
    op.create_index(
        "hold_active",
        "hold",
        ["teacher_id", "kind", "place"],
        unique=True,
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    create_facts()
    create_bill()
    create_charge()
    create_notice()
    create_payment()


def create_facts() -> None:
    op.create_table(
        "period",
        sa.Column("period_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
    )
    op.create_table(
        "offering",
        sa.Column("offering_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("period_id", sa.Uuid, nullable=False, index=True),
        sa.Column("course_no", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("hour_type", sa.Text, nullable=False),
        sa.Column("course_type", sa.Text, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("fee", YUAN, nullable=False),
        sa.Column("material_fee", YUAN, nullable=False),
        sa.Column("public_course", sa.Boolean, nullable=False),
        sa.Column("charging_unit_id", sa.Uuid, nullable=False),
        sa.Column("charging_place", PLACE, nullable=False),
        sa.CheckConstraint("fee >= 0 AND material_fee >= 0", name="offering_fees"),
    )
    op.create_table(
        "closing",
        sa.Column("period_id", sa.Uuid, primary_key=True),
        sa.Column("choices", sa.Integer, nullable=False),
        sa.Column("versions", sa.BigInteger, nullable=False),
        sa.Column("complete_at", INSTANT),
        sa.Column("billed_at", INSTANT),
    )
    op.create_index("closing_unbilled", "closing", ["period_id"], postgresql_where=sa.text("billed_at IS NULL"))
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seal_name", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
    )
    # Published matter and the public record of schools: no person's rows.
    for table in ("period", "offering", "closing", "unit"):
        row_security.protect(op, table, app="true", check="false", app_rights=READ)
    op.create_table(
        "choice",
        sa.Column("choice_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("school_id", sa.Uuid, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("offering_id", sa.Uuid, nullable=False),
        sa.Column("period_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("chosen_at", INSTANT, nullable=False),
    )
    op.create_index("choice_period", "choice", ["period_id", "state", "choice_id"])
    op.create_index("choice_teacher", "choice", ["teacher_id", "choice_id"])
    row_security.protect(op, "choice", person="teacher_id", place="place", app_rights=READ)


def create_bill() -> None:
    op.execute("CREATE SEQUENCE bill_number MAXVALUE 9999999 CYCLE")
    op.create_table(
        "bill",
        sa.Column("bill_id", sa.Uuid, primary_key=True),
        sa.Column("bill_no", PLACE, nullable=False, unique=True),
        sa.Column("period_id", sa.Uuid, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("school_id", sa.Uuid, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("charging_unit_id", sa.Uuid, nullable=False),
        sa.Column("payee", sa.Text, nullable=False),
        sa.Column("keeper_place", PLACE, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("amount", YUAN, nullable=False),
        sa.Column("paid", YUAN, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("printed_edition", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("paid_at", INSTANT),
        sa.UniqueConstraint("period_id", "school_id", "charging_unit_id", "part", name="bill_once"),
        sa.CheckConstraint("state IN ('UNPAID', 'NOTICE_PRINTED', 'PAID', 'VOID')", name="bill_state"),
        sa.CheckConstraint("amount >= 0 AND paid >= 0", name="bill_money"),
        sa.CheckConstraint("(state = 'PAID') = (paid_at IS NOT NULL)", name="bill_paid"),
    )
    op.create_index("bill_place", "bill", ["place", "bill_id"])
    op.create_index("bill_keeper", "bill", ["keeper_place", "bill_id"])
    row_security.protect(
        op,
        "bill",
        app="app_covers(bill.place) OR app_covers(bill.keeper_place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )
    op.execute(f"GRANT USAGE ON SEQUENCE bill_number TO {row_security.roles_of(op).worker}")


def create_charge() -> None:
    op.create_table(
        "charge",
        sa.Column("choice_id", sa.Uuid, primary_key=True),
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("bill.bill_id"), nullable=False),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("period_id", sa.Uuid, nullable=False),
        sa.Column("offering_id", sa.Uuid, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("keeper_place", PLACE, nullable=False),
        sa.Column("course_no", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("hour_type", sa.Text, nullable=False),
        sa.Column("course_type", sa.Text, nullable=False),
        sa.Column("hours", sa.Numeric(8, 2), nullable=False),
        sa.Column("fee", YUAN, nullable=False),
        sa.Column("material_fee", YUAN, nullable=False),
        sa.Column("public_course", sa.Boolean, nullable=False),
        sa.Column("amount", YUAN, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("billed_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('BILLED', 'ADMITTED', 'UNPAID', 'VOID')", name="charge_state"),
        sa.CheckConstraint("amount >= 0", name="charge_amount"),
    )
    op.create_index("charge_bill", "charge", ["bill_id", "choice_id"])
    op.create_index("charge_teacher", "charge", ["teacher_id", "choice_id"])
    op.create_index("charge_place", "charge", ["place", "choice_id"])
    op.create_index("charge_keeper", "charge", ["keeper_place", "choice_id"])
    # The sweeper of the last day reads what waits, the centre's list what is overdue; neither all the years before.
    op.create_index("charge_billed", "charge", ["period_id", "choice_id"], postgresql_where=sa.text("state = 'BILLED'"))
    op.create_index(
        "charge_unpaid", "charge", ["keeper_place", "teacher_id"], postgresql_where=sa.text("state = 'UNPAID'")
    )
    row_security.protect(
        op,
        "charge",
        app="charge.teacher_id = app_person() OR app_covers(charge.place) OR app_covers(charge.keeper_place)",
        check="app_covers(charge.place) OR app_covers(charge.keeper_place)",
        app_rights=("SELECT", "UPDATE"),
        worker_rights=KEPT,
    )


def create_notice() -> None:
    op.create_table(
        "notice",
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("bill.bill_id"), primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("keeper_place", PLACE, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("printed_by", sa.Text, nullable=False),
        sa.Column("printed_at", INSTANT, nullable=False),
    )
    row_security.protect(
        op,
        "notice",
        app="app_covers(notice.place) OR app_covers(notice.keeper_place)",
        app_rights=("SELECT", "INSERT"),
        worker_rights=("SELECT", "INSERT"),
    )


def create_payment() -> None:
    op.create_table(
        "payment",
        sa.Column("payment_id", sa.Uuid, primary_key=True),
        sa.Column("bill_id", sa.Uuid, sa.ForeignKey("bill.bill_id")),
        sa.Column("bill_no", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("keeper_place", PLACE, nullable=False),
        sa.Column("amount", YUAN, nullable=False),
        sa.Column("receipt_no", sa.Text, nullable=False),
        sa.Column("paid_on", sa.Date, nullable=False),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=False),
        # What the same institution registers under one receipt is one payment: a file that comes twice pays once.
        sa.UniqueConstraint("keeper_place", "receipt_no", name="payment_once"),
        sa.CheckConstraint("amount <> 0", name="payment_amount"),
        sa.CheckConstraint("(source = 'REFUND') = (amount < 0)", name="payment_refund"),
        sa.CheckConstraint(
            "state IN ('MATCHED', 'AMOUNT_DIFFERS', 'UNKNOWN_NOTICE', 'PAID_TWICE')", name="payment_state"
        ),
        sa.CheckConstraint("(state = 'UNKNOWN_NOTICE') = (bill_id IS NULL)", name="payment_assigned"),
    )
    op.create_index("payment_bill", "payment", ["bill_id", "payment_id"])
    op.create_index("payment_keeper", "payment", ["keeper_place", "payment_id"])
    row_security.protect(
        op,
        "payment",
        app="app_covers(payment.place) OR app_covers(payment.keeper_place)",
        check="app_covers(payment.keeper_place)",
        app_rights=KEPT,
        worker_rights=KEPT,
    )
    # Money that came is never taken out of the books, nor made more or less.
    roles = row_security.roles_of(op)
    for role in (roles.app, roles.worker):
        op.execute(f"REVOKE UPDATE ON payment FROM {role}")
        op.execute(f"GRANT UPDATE (bill_id, place, state) ON payment TO {role}")
