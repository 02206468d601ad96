"""Projections, enrolments, study sessions, watched time, quiz answers, closing markers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.shared import placement, row_security, tables

revision = "0001"
down_revision = None

# architecture.md part 3: hash partitions on study tables from the first migration.
WATCHED_PARTITIONS = 64


class Ranges(sa.types.UserDefinedType):
    def get_col_spec(self, **_):
        return "INT4MULTIRANGE"


def _instant(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ranges(name):
    return sa.Column(name, Ranges, nullable=False, server_default="{}")


def upgrade():
    tables.create_plumbing(op)
    placement.create_placement(op)
    _create_programmes()
    _create_learners()
    _create_study_sessions()
    _create_watched()
    _create_quizzes()
    _create_closing()


def _create_programmes():
    op.create_table(
        "programme",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        _instant("opens_at"),
        _instant("closes_at"),
        sa.Column("silence_limit_seconds", sa.Integer, nullable=False),
        sa.CheckConstraint("silence_limit_seconds > 0", name="silence_positive"),
    )
    op.create_table(
        "course",
        sa.Column("course_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        _instant("opens_at"),
        sa.Column("quiz_required", sa.Boolean, nullable=False),
    )
    op.create_table(
        "activity",
        sa.Column("activity_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, nullable=False, index=True),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("quizzes", JSONB, nullable=False),
    )
    for table in ("programme", "course", "activity"):
        row_security.open_to_app(op, table)


def _create_learners():
    op.create_table(
        "learner",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
    )
    row_security.protect(op, "learner", person="teacher_id", app_rights=("SELECT",))
    op.create_table(
        "enrolment",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        _instant("enrolled_at"),
    )
    op.create_index("enrolment_programme", "enrolment", ["programme_id"])
    row_security.protect(op, "enrolment", person="teacher_id", placed_by="placement", app_rights=("SELECT", "INSERT"))


def _create_study_sessions():
    op.create_table(
        "lease",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("study_session_id", sa.Uuid),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    row_security.protect(op, "lease", person="teacher_id")
    op.create_table(
        "study_session",
        sa.Column("study_session_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("activity_id", sa.Uuid, nullable=False),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        _instant("opened_at"),
        _instant("heard_at"),
        _instant("ended_at", nullable=True),
        _ranges("live"),
        _ranges("spent"),
        _ranges("seqs"),
        sa.UniqueConstraint("teacher_id", "fence", name="one_session_per_fence"),
        # What was spent was lived: the rule of earning, once more, in the database.
        sa.CheckConstraint("spent <@ live", name="spent_within_live"),
    )
    # The history of a person's sittings is nobody else's business; administrators see results.
    row_security.protect(op, "study_session", person="teacher_id", app_rights=("SELECT", "INSERT", "UPDATE"))


def _create_watched():
    op.execute("""
        CREATE TABLE watched (
            teacher_id uuid NOT NULL,
            activity_id uuid NOT NULL,
            seen int4multirange NOT NULL,
            countable int4multirange NOT NULL,
            PRIMARY KEY (teacher_id, activity_id),
            CONSTRAINT countable_was_seen CHECK (countable <@ seen)
        ) PARTITION BY HASH (teacher_id)""")
    for remainder in range(WATCHED_PARTITIONS):
        op.execute(f"""
            CREATE TABLE watched_{remainder:02} PARTITION OF watched
            FOR VALUES WITH (MODULUS {WATCHED_PARTITIONS}, REMAINDER {remainder})""")
        # A partition named directly must be as closed as its parent.
        op.execute(f"ALTER TABLE watched_{remainder:02} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE watched_{remainder:02} FORCE ROW LEVEL SECURITY")
    row_security.protect(op, "watched", person="teacher_id", placed_by="placement", app_rights=("SELECT",))
    # The partition of a teacher, as PostgreSQL chooses it: hash_combine64(0, extended hash) modulo 64.
    op.execute(f"""
        CREATE FUNCTION watched_partition(teacher uuid) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN (((uuid_hash_extended(teacher, 8816678312871386365) & {WATCHED_PARTITIONS - 1})
                 + (x'49a0f4dd15e5a8e3'::bigint & {WATCHED_PARTITIONS - 1})) & {WATCHED_PARTITIONS - 1})::integer""")


def _create_quizzes():
    op.create_table(
        "quiz_answer",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("quiz_id", sa.Uuid, primary_key=True),
        sa.Column("activity_id", sa.Uuid, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _instant("answered_at", nullable=True),
    )
    op.create_index("quiz_answer_activity", "quiz_answer", ["teacher_id", "activity_id"])
    row_security.protect(
        op, "quiz_answer", person="teacher_id", placed_by="placement", app_rights=("SELECT", "INSERT", "UPDATE")
    )
    op.create_table(
        "quiz_attempt",
        sa.Column("quiz_attempt_id", sa.Uuid, primary_key=True),
        sa.Column("teacher_id", sa.Uuid, nullable=False),
        sa.Column("quiz_id", sa.Uuid, nullable=False),
        sa.Column("study_session_id", sa.Uuid, nullable=False),
        sa.Column("given", ARRAY(sa.Text), nullable=False),
        sa.Column("is_right", sa.Boolean, nullable=False),
        _instant("attempted_at"),
    )
    op.create_index("quiz_attempt_quiz", "quiz_attempt", ["teacher_id", "quiz_id", "attempted_at"])
    add_only = ("SELECT", "INSERT")
    row_security.protect(op, "quiz_attempt", person="teacher_id", app_rights=add_only, worker_rights=add_only)
    op.create_table(
        "course_evidence",
        sa.Column("teacher_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False, index=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    row_security.protect(
        op, "course_evidence", person="teacher_id", placed_by="placement", app_rights=("SELECT", "INSERT", "UPDATE")
    )


def _create_closing():
    op.create_table(
        "closing_marker",
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True),
        _instant("due_at"),
        _instant("sent_at", nullable=True),
        _instant("passed_at", nullable=True),
    )
    row_security.protect(op, "closing_marker", app="false", app_rights=())
