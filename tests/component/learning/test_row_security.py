"""The second wall: raw SQL in the application's role, on connections that somebody else used before."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from services.shared.actor import ANONYMOUS, Role
from services.shared.bus import Call
from services.shared.policy import anyone
from tests.conftest import person

COUNTY = "CN/440000/440100/440103"
OWN_AND_TERRITORY = ("enrolment", "watched", "quiz_answer", "course_evidence", "placement")
OWN_ONLY = ("learner", "lease", "study_session", "quiz_attempt")


def in_scope_of(world, actor, statement):
    call = Call("learning", "raw", {}, actor, anyone(), time.monotonic() + 5)
    with world.learning.database.transaction(call) as db:
        return db.execute(sa.text("SELECT pg_backend_pid()")).scalar(), db.execute(sa.text(statement)).scalar()


@pytest.fixture
def teacher(world):
    """A teacher of the county with a row in every table."""
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    world.play(opened, 1, 0, 60)
    world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    return teacher


@pytest.mark.parametrize("table", OWN_AND_TERRITORY + OWN_ONLY)
def test_only_the_right_people_see_a_row_also_on_a_reused_connection(world, teacher, table):
    rows = f"SELECT count(*) FROM {table} WHERE teacher_id = '{teacher.account_id}'"
    keeper = person(None, (Role.COUNTY_ADMIN, COUNTY))
    neighbour = person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440104"))
    # One county's path is the beginning of no other's, even where the digits are.
    lookalike = person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/44010"))
    counts, backends = [], set()
    for actor in (teacher, ANONYMOUS, person(), keeper, neighbour, lookalike, ANONYMOUS):
        backend, count = in_scope_of(world, actor, rows)
        counts.append(count > 0)
        backends.add(backend)
    assert len(backends) == 1, "the connection was not reused, so the test shows nothing"
    assert counts == [True, False, False, table in OWN_AND_TERRITORY, False, False, False]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM watched_00",
        "SELECT count(*) FROM closing_marker",
        "DELETE FROM quiz_attempt",
        "UPDATE quiz_attempt SET is_right = true",
        "UPDATE watched SET countable = seen",
        "DELETE FROM study_session",
        "UPDATE enrolment SET enrolled_at = now()",
        "UPDATE learner SET complete = true",
    ],
)
def test_the_application_role_lacks_the_right(world, teacher, statement):
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        in_scope_of(world, teacher, statement)


def test_nobody_writes_a_row_of_another_person(world, teacher):
    forged = (
        "INSERT INTO enrolment (teacher_id, programme_id, version, enrolled_at)"
        f" VALUES ('{teacher.account_id}', gen_random_uuid(), 1, now()) RETURNING 1"
    )
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        in_scope_of(world, person(), forged)


def test_every_table_with_a_teacher_is_protected(world):
    unprotected = """
        SELECT string_agg(relname, ', ') FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'teacher_id'
        WHERE relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
    """
    assert in_scope_of(world, ANONYMOUS, unprotected)[1] is None
