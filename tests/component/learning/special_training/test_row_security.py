"""The second wall around special training: raw SQL in the application's role."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.bus import Call
from services.shared.policy import anyone
from tests.component.learning.special_training.conftest import (
    CITY,
    COLLEGE,
    DISTRICT,
    LAST_DAY,
    NEIGHBOUR,
    SCHOOL,
    Campus,
)
from tests.conftest import person

HERS = ("training_application", "training_step", "attendance", "training_grade")


def in_scope_of(campus: Campus, actor: Actor, statement: str) -> Any:
    call = Call("learning", "raw", {}, actor, anyone(), time.monotonic() + 5)
    with campus.learning.database.transaction(call) as db:
        return db.execute(sa.text(statement)).scalar()


@pytest.fixture
def graded(campus: Campus) -> tuple[Actor, str]:
    """A teacher who has passed, and her project."""
    teacher, project = campus.teacher(), campus.project()
    application = campus.attending(teacher, project)
    campus.at(LAST_DAY)
    assert campus.grade(application) == "CHANGED"
    return teacher, project["project_id"]


def test_a_training_is_seen_by_the_teacher_her_territory_and_the_institution(
    campus: Campus, graded: tuple[Actor, str]
) -> None:
    teacher, project_id = graded
    right = [
        teacher,
        person(None, (Role.PRINCIPAL, SCHOOL)),
        person(None, (Role.COUNTY_ADMIN, DISTRICT)),
        person(None, (Role.TRAINING_INSTITUTION, COLLEGE)),
    ]
    wrong = [
        ANONYMOUS,
        person(),
        person(None, (Role.COUNTY_ADMIN, NEIGHBOUR)),
        person(None, (Role.TRAINING_INSTITUTION, f"{CITY}/other-college")),
    ]
    for table in HERS:
        rows = f"SELECT count(*) FROM {table} WHERE project_id = '{project_id}'"
        for actor in right + wrong:
            assert (in_scope_of(campus, actor, rows) > 0) is (actor in right), (table, actor)


def test_what_codes_are_made_from_is_the_institutions_alone(campus: Campus, graded: tuple[Actor, str]) -> None:
    teacher, project_id = graded
    where = f"WHERE project_id = '{project_id}'"
    institution = person(None, (Role.TRAINING_INSTITUTION, COLLEGE))
    assert in_scope_of(campus, teacher, f"SELECT count(*) FROM class_session {where}") == 1
    assert in_scope_of(campus, teacher, f"SELECT count(*) FROM check_in_secret {where}") == 0
    assert in_scope_of(campus, institution, f"SELECT count(*) FROM check_in_secret {where}") == 1
    outsider = campus.teacher()
    assert in_scope_of(campus, outsider, f"SELECT count(*) FROM class_session {where}") == 0
    assert in_scope_of(campus, outsider, f"SELECT count(*) FROM training_class {where}") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE training_step SET reason = ''",
        "DELETE FROM training_step",
        "DELETE FROM training_application",
        "DELETE FROM training_grade",
        "UPDATE training_project SET capacity = NULL",
        "UPDATE check_in_secret SET secret = ''",
        "INSERT INTO training_class (project_id, admitted, notice_title, notice) VALUES (gen_random_uuid(), 0, '', '')",
    ],
)
def test_the_application_role_lacks_the_right(campus: Campus, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        in_scope_of(campus, campus.institution, statement)


@pytest.mark.parametrize("change", ["admitted = 0", "notice = ''"])
def test_who_is_in_a_class_does_not_write_on_its_door(campus: Campus, graded: tuple[Actor, str], change: str) -> None:
    teacher, project_id = graded
    statement = f"UPDATE training_class SET {change} WHERE project_id = '{project_id}' RETURNING 1"
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        in_scope_of(campus, teacher, statement)
