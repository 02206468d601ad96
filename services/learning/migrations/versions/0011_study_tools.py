"""Study tools: texts of a course with their reports, read notices, bookmarks; the place that owns a programme."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.shared import row_security

revision = "0011"
down_revision = "0010"


def _instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade():
    # Who organises it answers for it; a programme that says nothing is the nation's.
    op.add_column("programme", sa.Column("place", sa.Text(collation="C"), nullable=False, server_default="CN"))
    _create_texts()
    _create_reports()
    _create_reading()


def _create_texts():
    op.create_table(
        "course_text",
        sa.Column("text_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("author_id", sa.Uuid, nullable=False),
        sa.Column("by_tutor", sa.Boolean, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("activity_id", sa.Uuid),
        sa.Column("at_seconds", sa.Integer),
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("course_text.text_id")),
        _instant("answered_at", nullable=True),
        sa.Column("reports", sa.Integer, nullable=False),
        _instant("written_at"),
        _instant("changed_at"),
        sa.Column("folded_text", sa.Text, nullable=False),
        sa.Column("tokens", ARRAY(sa.BigInteger), nullable=False),
        sa.CheckConstraint("visibility IN ('OWN', 'COURSE', 'HIDDEN')", name="known_visibility"),
        sa.CheckConstraint("kind IN ('NOTE', 'QUESTION', 'ANSWER', 'NOTICE')", name="known_kind"),
        # Only a note can be one's own.
        sa.CheckConstraint("visibility <> 'OWN' OR kind = 'NOTE'", name="only_notes_are_private"),
        sa.CheckConstraint("(kind = 'ANSWER') = (question_id IS NOT NULL)", name="answers_have_questions"),
        sa.CheckConstraint("length(text) <= 4000 AND length(title) <= 200", name="text_has_an_end"),
    )
    op.create_index("course_text_list", "course_text", ["course_id", "kind", "text_id"])
    op.create_index("course_text_author", "course_text", ["author_id", "course_id", "kind", "text_id"])
    op.create_index(
        "course_text_answers", "course_text", ["question_id"], postgresql_where=sa.text("question_id IS NOT NULL")
    )
    op.create_index(
        "course_text_unanswered",
        "course_text",
        ["course_id", "text_id"],
        postgresql_where=sa.text("kind = 'QUESTION' AND answered_at IS NULL AND visibility = 'COURSE'"),
    )
    op.create_index(
        "course_text_reported", "course_text", ["course_id", "text_id"], postgresql_where=sa.text("reports > 0")
    )
    # The operator class for arrays is PostgreSQL's own: no extension.
    op.create_index("course_text_tokens", "course_text", ["tokens"], postgresql_using="gin")
    enrolled = (
        "EXISTS (SELECT 1 FROM enrolment AS mine WHERE mine.teacher_id = app_person()"
        " AND mine.programme_id = course_text.programme_id)"
    )
    row_security.protect(
        op,
        "course_text",
        app="author_id = app_person() OR (visibility <> 'OWN' AND app_covers(place))"
        f" OR (visibility = 'COURSE' AND {enrolled})",
        # Reading what is shared gives no right to write it.
        check=("author_id = app_person() OR (visibility <> 'OWN' AND app_covers(place))"),
    )


def _create_reports():
    op.create_table(
        "text_report",
        sa.Column("text_id", sa.Uuid, sa.ForeignKey("course_text.text_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("reporter_id", sa.Uuid, primary_key=True),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _instant("reported_at"),
    )
    row_security.protect(op, "text_report", person="reporter_id", place="place")


def _create_reading():
    op.create_table(
        "notice_read",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("text_id", sa.Uuid, sa.ForeignKey("course_text.text_id", ondelete="CASCADE"), primary_key=True),
        _instant("read_at"),
    )
    row_security.protect(op, "notice_read", person="teacher_id", app_rights=("SELECT", "INSERT"))
    op.create_table(
        "bookmark",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("bookmark_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("activity_id", sa.Uuid, nullable=False),
        sa.Column("at_seconds", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        _instant("made_at"),
    )
    op.create_index("bookmark_course", "bookmark", ["teacher_id", "course_id", "bookmark_id"])
    row_security.protect(op, "bookmark", person="teacher_id", app_rights=("SELECT", "INSERT", "DELETE"))
