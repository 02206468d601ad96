"""Learner numbers, reviews, merges, erasure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    extend_account()
    extend_profile()
    let_history_be_forgotten()
    create_drafts()
    create_merges()
    create_erasures()
    create_consents()
    place_in_the_row()
    open_to_the_nation()


def text(name: str, **options) -> sa.Column:
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def key(name: str = "id") -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), primary_key=True)


def account(name: str = "account_id", **options) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), sa.ForeignKey("account.id"), **{"nullable": False, **options})


def extend_account() -> None:
    op.add_column("account", text("learner_no", nullable=True, unique=True))
    op.add_column("account", text("registered_as", nullable=True))
    op.add_column("account", text("state", server_default="ACTIVE"))
    op.add_column("account", account("merged_into", nullable=True))
    # An account that is merged or erased has no phone: its owner uses the kept one, or none.
    op.alter_column("account", "phone_sealed", nullable=True)
    op.alter_column("account", "phone_index", nullable=True)
    op.create_check_constraint("account_state", "account", "state IN ('ACTIVE', 'MERGED', 'ERASED')")
    op.create_check_constraint("account_merged", "account", "(state = 'MERGED') = (merged_into IS NOT NULL)")
    op.create_check_constraint(
        "account_phone", "account", "num_nulls(phone_sealed, phone_index) = CASE state WHEN 'ACTIVE' THEN 0 ELSE 2 END"
    )
    # Sparse: who was merged into somebody.
    op.create_index(
        "account_merged_into", "account", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL")
    )


def extend_profile() -> None:
    for name in ("birth_date_sealed", "ethnicity_sealed", "email_sealed", "address_sealed", "nickname_sealed"):
        op.add_column("profile", text(name, nullable=True))
    op.add_column("profile", text("title", server_default=""))
    op.add_column("profile", text("post_category", server_default=""))
    op.add_column("profile", sa.Column("employed_since", sa.Date))
    op.add_column("profile", text("name_index", nullable=True))
    op.add_column("profile", sa.Column("place", sa.Text(collation="C"), nullable=False, server_default=""))
    op.add_column("profile", text("review_state", server_default="EDITABLE"))
    op.add_column("profile", sa.Column("review_round", sa.Integer, nullable=False, server_default="0"))
    op.add_column("profile", instant("submitted_at", nullable=True))
    op.add_column("profile", text("return_reason", server_default=""))
    op.create_check_constraint(
        "profile_review_state", "profile", "review_state IN ('EDITABLE', 'SUBMITTED', 'CONFIRMED')"
    )
    op.create_check_constraint(
        "profile_submitted", "profile", "(review_state = 'SUBMITTED') = (submitted_at IS NOT NULL)"
    )
    op.execute("""
        UPDATE profile SET place = placement.place,
            review_state = CASE placement.state WHEN 'VERIFIED' THEN 'CONFIRMED' ELSE 'EDITABLE' END
        FROM placement WHERE placement.teacher_id = profile.account_id
    """)
    op.create_index("profile_name", "profile", ["name_index", "place", "account_id"])
    op.create_index("profile_submitted", "profile", ["place"], postgresql_where=sa.text("review_state = 'SUBMITTED'"))
    op.add_column("profile_history", text("value_index", nullable=True))
    op.add_column("profile_history", text("id_type", nullable=True))
    op.add_column("profile_history", text("cause", server_default="EDIT"))
    op.create_index(
        "profile_history_value",
        "profile_history",
        ["value_index"],
        postgresql_where=sa.text("value_index IS NOT NULL"),
    )


def let_history_be_forgotten() -> None:
    # An erased person's goes, and what a merge that is undone had mixed into another's.
    op.execute(f"GRANT DELETE ON profile_history TO {row_security.roles_of(op).worker}")


def create_drafts() -> None:
    op.create_table(
        "profile_draft",
        account("account_id", primary_key=True),
        text("field", primary_key=True),
        text("value_sealed"),
    )
    row_security.protect(op, "profile_draft", person="account_id", placed_by="placement", app_rights=("SELECT",))


def create_merges() -> None:
    op.create_table(
        "person_merge",
        key(),
        account("kept_id"),
        account("merged_id"),
        text("state"),
        text("phone_of"),
        text("document_of"),
        text("proof"),
        text("reason"),
        sa.Column("proposed_by", UUID(as_uuid=True), nullable=False),
        instant("proposed_at"),
        sa.Column("decided_by", UUID(as_uuid=True)),
        instant("decided_at", nullable=True),
        text("decision_reason", server_default=""),
        instant("undo_until", nullable=True),
        text("undo_sealed", nullable=True),
        sa.Column("undone_by", UUID(as_uuid=True)),
        instant("undone_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'MERGED', 'REJECTED', 'WITHDRAWN', 'UNDONE', 'SETTLED')", name="person_merge_state"
        ),
        sa.CheckConstraint("kept_id <> merged_id", name="person_merge_two"),
        sa.CheckConstraint("phone_of IN ('KEPT', 'MERGED')", name="person_merge_phone"),
        sa.CheckConstraint("document_of IN ('KEPT', 'MERGED')", name="person_merge_document"),
        # Two persons decide (reliability.md, ASVS 2.3.5): the database holds it too.
        sa.CheckConstraint(
            "state NOT IN ('MERGED', 'UNDONE', 'SETTLED') OR decided_by <> proposed_by", name="person_merge_two_persons"
        ),
        sa.CheckConstraint("undo_sealed IS NULL OR state = 'MERGED'", name="person_merge_undo"),
    )
    op.create_index("person_merge_state", "person_merge", ["state", "id"])
    for column in ("kept_id", "merged_id"):
        op.create_index(
            f"person_merge_open_{column}",
            "person_merge",
            [column],
            unique=column == "merged_id",
            postgresql_where=sa.text("state IN ('PROPOSED', 'MERGED')"),
        )
    row_security.protect(op, "person_merge", app="app_covers('CN')", app_rights=("SELECT",))


def create_erasures() -> None:
    op.create_table(
        "erasure",
        key(),
        account("account_id"),
        text("state"),
        instant("requested_at"),
        instant("due_at"),
        instant("ended_at", nullable=True),
        sa.CheckConstraint("state IN ('REQUESTED', 'CANCELLED', 'DONE')", name="erasure_state"),
        sa.CheckConstraint("(state = 'REQUESTED') = (ended_at IS NULL)", name="erasure_ended"),
    )
    waiting = sa.text("state = 'REQUESTED'")
    op.create_index("erasure_waiting", "erasure", ["account_id"], unique=True, postgresql_where=waiting)
    op.create_index("erasure_due", "erasure", ["due_at"], postgresql_where=waiting)
    row_security.protect(op, "erasure", person="account_id", app_rights=("SELECT", "INSERT", "UPDATE"))
    op.create_table("retired_learner_no", text("learner_no", primary_key=True))
    row_security.protect(op, "retired_learner_no", app="false", app_rights=(), worker_rights=("SELECT", "INSERT"))


def create_consents() -> None:
    op.create_table(
        "consent",
        key(),
        account("account_id"),
        text("kind"),
        text("text_version"),
        text("text_digest"),
        sa.Column("given", sa.Boolean, nullable=False),
        instant("at"),
    )
    op.create_index("consent_account", "consent", ["account_id", "id"])
    # Append-only for both roles: what a person has agreed to is evidence.
    row_security.protect(
        op, "consent", person="account_id", app_rights=("SELECT", "INSERT"), worker_rights=("SELECT", "INSERT")
    )


def place_in_the_row() -> None:
    """Who may see a person is read off the row itself: to look every row up in `placement` costs a list ten times more."""
    app = row_security.roles_of(op).app
    op.add_column("account", sa.Column("place", sa.Text(collation="C"), nullable=False, server_default=""))
    op.execute("UPDATE account SET place = placement.place FROM placement WHERE placement.teacher_id = account.id")
    for table, person in (("account", "id"), ("profile", "account_id")):
        visible = f"{table}.{person} = app_person() OR app_covers({table}.place)"
        op.execute(f"DROP POLICY app_scope ON {table}")
        op.execute(f"CREATE POLICY app_scope ON {table} FOR ALL TO {app} USING ({visible}) WITH CHECK ({visible})")


def open_to_the_nation() -> None:
    """Whoever holds a grant over the whole nation reaches people who are at no school too; the policies say who may what."""
    app = row_security.roles_of(op).app
    for table in ("account", "profile", "placement", "profile_draft"):
        op.execute(f"CREATE POLICY nation_scope ON {table} FOR SELECT TO {app} USING (app_covers('CN'))")
