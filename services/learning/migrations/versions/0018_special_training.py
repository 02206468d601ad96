"""Special training: projects as the catalogue tells them, applications and their steps, classes, check-in, results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.shared import row_security

revision = "0018"
down_revision = "0017"

SIGNED_IN = "app_person() IS NOT NULL"
PLACE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
ADDED = ("SELECT", "INSERT")
CHANGED = ("SELECT", "INSERT", "UPDATE")


def _id(name, **options):
    return sa.Column(name, sa.Uuid, nullable=False, **options)


def _text(*names):
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _of_institution(table):
    """Rows of a project that the caller's institution holds; looked up by its key, so that a unit may move."""
    held_at = f"SELECT held.institution_place FROM training_project AS held WHERE held.project_id = {table}.project_id"
    return f"app_covers(({held_at}))"


def _of_applicant(table):
    return (
        f"EXISTS (SELECT 1 FROM training_application AS own WHERE own.project_id = {table}.project_id"
        " AND own.teacher_id = app_person())"
    )


def _of_teacher(table):
    """The teacher's own, those of whoever answers for where she is now (looked up by its key, as in 0007), and the institution's."""
    where = f"(SELECT placed.place FROM placement AS placed WHERE placed.teacher_id = {table}.teacher_id)"
    return f"{table}.teacher_id = app_person() OR app_covers({where}) OR {_of_institution(table)}"


def upgrade():
    _create_projects()
    _create_applications()
    _create_timetables()
    _create_grades()


def _create_projects():
    op.create_table(
        "training_project",
        _id("project_id", primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, PLACE, nullable=False) for name in ("place", "shown_at", "institution_place")),
        *_text("title", "hour_type", "course_type", "unit"),
        sa.Column("amount", sa.Numeric(8, 2), nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("applies_from", INSTANT, nullable=False),
        sa.Column("applies_until", INSTANT, nullable=False),
        sa.Column("capacity", sa.Integer),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        *_text("state"),
    )
    op.create_index("training_project_shown_at", "training_project", ["shown_at", "project_id"])
    row_security.protect(op, "training_project", app=SIGNED_IN, app_rights=("SELECT",))


def _create_applications():
    op.create_table(
        "training_application",
        _id("teacher_id", primary_key=True),
        _id("project_id", primary_key=True),
        _id("application_id"),
        sa.Column("version", sa.Integer, nullable=False),
        _id("school_id"),
        sa.Column("place", PLACE, nullable=False),
        *_text("state", "statement"),
        sa.Column("applied_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('SCHOOL_REVIEW', 'DISTRICT_REVIEW', 'INSTITUTION_REVIEW', 'TAKEN_BACK', 'REJECTED', 'ADMITTED',"
            " 'ATTENDING', 'PASSED', 'FAILED', 'VOID')",
            name="training_application_state",
        ),
    )
    op.create_index("training_application_id", "training_application", ["application_id"], unique=True)
    op.create_index("training_application_project", "training_application", ["project_id", "application_id"])
    row_security.protect(
        op,
        "training_application",
        app=_of_teacher("training_application"),
        app_rights=CHANGED,
        worker_rights=CHANGED,
    )
    op.create_table(
        "training_step",
        _id("application_id", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        _id("teacher_id"),
        _id("project_id"),
        *_text("state", "reason"),
        sa.Column("by", sa.Uuid),
        sa.Column("at", INSTANT, nullable=False),
    )
    row_security.protect(op, "training_step", app=_of_teacher("training_step"), app_rights=ADDED, worker_rights=ADDED)
    op.create_table(
        "training_class",
        _id("project_id", primary_key=True),
        sa.Column("admitted", sa.Integer, nullable=False),
        *_text("notice_title", "notice"),
        sa.Column("noticed_at", INSTANT),
        sa.CheckConstraint("admitted >= 0", name="training_class_admitted"),
    )
    row_security.protect(
        op,
        "training_class",
        app=f"{_of_institution('training_class')} OR {_of_applicant('training_class')}",
        check=_of_institution("training_class"),
        app_rights=("SELECT", "UPDATE"),
    )


def _create_timetables():
    op.create_table(
        "class_session",
        _id("session_id", primary_key=True),
        _id("project_id"),
        *_text("title", "lecturer", "venue"),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("radius_metres", sa.Integer),
        sa.CheckConstraint("starts_at < ends_at", name="class_session_hours"),
        sa.CheckConstraint("num_nulls(latitude, longitude, radius_metres) IN (0, 3)", name="class_session_spot"),
    )
    op.create_index("class_session_project", "class_session", ["project_id", "starts_at"])
    row_security.protect(
        op,
        "class_session",
        app=f"{_of_institution('class_session')} OR {_of_applicant('class_session')}",
        check=_of_institution("class_session"),
        app_rights=("SELECT", "INSERT", "DELETE"),
    )
    op.create_table(
        "check_in_secret",
        _id("session_id", primary_key=True),
        _id("project_id"),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    row_security.protect(
        op, "check_in_secret", app=_of_institution("check_in_secret"), app_rights=("SELECT", "INSERT", "DELETE")
    )
    op.create_table(
        "attendance",
        _id("session_id", primary_key=True),
        _id("teacher_id", primary_key=True),
        _id("project_id"),
        sa.Column("wrong_codes", sa.Integer, nullable=False),
        sa.Column("checked_in_at", INSTANT),
        sa.Column("by_institution", sa.Boolean, nullable=False),
    )
    op.create_index("attendance_teacher", "attendance", ["teacher_id", "project_id"])
    row_security.protect(
        op, "attendance", app=_of_teacher("attendance"), check=_of_institution("attendance"), app_rights=CHANGED
    )


def _create_grades():
    op.create_table(
        "training_grade",
        _id("teacher_id", primary_key=True),
        _id("application_id", primary_key=True),
        _id("project_id"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("graded_at", INSTANT, nullable=False),
    )
    row_security.protect(
        op,
        "training_grade",
        app=_of_teacher("training_grade"),
        check=_of_institution("training_grade"),
        app_rights=CHANGED,
        worker_rights=CHANGED,
    )
