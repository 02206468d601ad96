"""Exams: their projection with the questions, attempts, results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.shared import row_security

revision = "0010"
down_revision = "0009"


def _instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade():
    _create_exams()
    _create_attempts()
    _create_results()
    _protect_questions()


def _create_exams():
    op.create_table(
        "exam",
        sa.Column("exam_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False, index=True),
        sa.Column("course_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("titles", JSONB, nullable=False),
        _instant("opens_at"),
        _instant("closes_at"),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("pass_mark", sa.Integer, nullable=False),
        sa.Column("after", JSONB, nullable=False),
        sa.Column("draw", JSONB, nullable=False),
    )
    # Published matter: which questions there are says nothing of what they ask.
    row_security.protect(op, "exam", app="true", app_rights=("SELECT",))
    op.create_table(
        "exam_question",
        sa.Column("question_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("options", ARRAY(sa.Text), nullable=False),
        sa.Column("answers", ARRAY(sa.Integer), nullable=False),
        sa.Column("analysis", sa.Text, nullable=False),
    )


def _create_attempts():
    op.create_table(
        "exam_attempt",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("attempt_id", sa.Uuid, primary_key=True),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        _instant("started_at"),
        _instant("deadline_at"),
        sa.Column("pass_mark", sa.Integer, nullable=False),
        sa.Column("question_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("points", ARRAY(sa.Integer), nullable=False),
        sa.Column("given", JSONB, nullable=False),
        _instant("saved_at", nullable=True),
        _instant("ended_at", nullable=True),
        sa.Column("score", sa.Numeric(5, 2)),
        sa.Column("right_answers", sa.Integer),
        sa.Column("passed", sa.Boolean),
        sa.UniqueConstraint("teacher_id", "exam_id", "number", name="one_attempt_per_number"),
        sa.CheckConstraint("state IN ('OPEN', 'SUBMITTED', 'EXPIRED')", name="known_state"),
        # Judged exactly when it has ended, and nothing was saved after its time: the rules, once more.
        sa.CheckConstraint("(state = 'OPEN') = (score IS NULL)", name="judged_when_ended"),
        sa.CheckConstraint("saved_at < deadline_at AND ended_at <= deadline_at", name="within_its_time"),
        sa.CheckConstraint(
            "cardinality(question_ids) = cardinality(points) AND cardinality(points) = jsonb_array_length(given)",
            name="an_answer_per_question",
        ),
    )
    op.create_index("exam_attempt_id", "exam_attempt", ["attempt_id"], unique=True)
    open_ones = sa.text("state = 'OPEN'")
    # Of two devices that begin at the same moment one must lose, whatever the code above does.
    op.create_index(
        "one_open_attempt", "exam_attempt", ["teacher_id", "exam_id"], unique=True, postgresql_where=open_ones
    )
    op.create_index("exam_attempt_due", "exam_attempt", ["deadline_at"], postgresql_where=open_ones)
    op.create_index("exam_attempt_open", "exam_attempt", ["programme_id"], postgresql_where=open_ones)
    row_security.protect(op, "exam_attempt", person="teacher_id", app_rights=("SELECT", "INSERT", "UPDATE"))


def _create_results():
    op.create_table(
        "exam_result",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("exam_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("score", sa.Numeric(5, 2)),
        sa.Column("passed", sa.Boolean, nullable=False),
        _instant("judged_at", nullable=True),
    )
    row_security.protect(op, "exam_result", person="teacher_id", app_rights=("SELECT", "INSERT", "UPDATE"))
    app = row_security.roles_of(op).app
    for table in ("exam_attempt", "exam_result"):
        op.execute(
            f"CREATE POLICY former_account ON {table} FOR SELECT TO {app} USING (EXISTS ("
            f"SELECT 1 FROM merged_person AS former WHERE former.merged_id = {table}.teacher_id"
            " AND former.kept_id = app_person() AND former.live))"
        )


def _protect_questions():
    # Even a request gone wrong reads no question, and no answer, that was not drawn for its teacher.
    row_security.protect(
        op,
        "exam_question",
        app="question_id = ANY (ARRAY(SELECT unnest(drawn.question_ids) FROM exam_attempt AS drawn"
        " WHERE drawn.teacher_id = ANY (app_person() || ARRAY(SELECT merged_id FROM merged_person"
        " WHERE kept_id = app_person() AND live))))",
        app_rights=("SELECT",),
        worker_rights=("SELECT", "INSERT"),
    )
