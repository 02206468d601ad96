"""Stories of study: a season from enrolment to the paper, what is declared beside it, and a year that is closed and complained about."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from services.credits.contract.reconciling import RECONCILIATION_FAILED
from services.learning.models import Activity
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from services.shared.storage import new_key
from tests.component.learning.test_exams import publish
from tests.component.resync.conftest import _watch_everything
from tests.conftest import FixedClock, person
from tests.matrix.conftest import made_world
from tests.matrix.telling import Telling, story, telling
from tests.matrix.world import (
    COUNTY,
    DECLARED,
    NATION,
    Spot,
    Where,
    World,
    add_spots,
    find_conspicuous,
    lay_ground,
    member,
    school_admin,
    teacher,
)

WHY = {"reason": "情况属实"}
DEPARTMENT = person(None, (Role.COUNTY_ADMIN, COUNTY))


@pytest.fixture(scope="module")
def fixed() -> FixedClock:
    return FixedClock(clock.parse_instant("2022-11-20T10:00:00+08:00"))


@pytest.fixture(autouse=True, scope="module")
def stopped_clock(fixed: FixedClock) -> Iterator[None]:
    clock.install(fixed)
    yield
    clock.install(clock.SystemClock())


@pytest.fixture(scope="module")
def world(settings: Settings, keyring: KeyRing, stopped_clock: None) -> Iterator[World]:
    with made_world(settings, keyring, "study") as world:
        lay_ground(world)
        add_spots(world, (Where.OWN,))
        yield world


@pytest.fixture
def here(world: World) -> Spot:
    return world.spots[Where.OWN]


@pytest.fixture(autouse=True)
def told(world: World, request: pytest.FixtureRequest) -> Iterator[Telling]:
    yield from telling(world, request)


@pytest.fixture
def at(fixed: FixedClock) -> Callable[[str], None]:
    def move(instant: str) -> None:
        fixed.instant = clock.parse_instant(instant)

    return move


def elevated(actor: Actor) -> Actor:
    return dataclasses.replace(actor, elevated_until=clock.now().replace(year=clock.now().year + 1))


def appointed(world: World, role: Role, place: str) -> Actor:
    """Somebody with an account and the grant, as the own sign-in says, after a fresh code."""
    [account_id] = world.new_people(1)
    world.deliver_all()
    world.call("org", "bootstrap_grant", {"account_id": account_id, "role": str(role), "place": place})
    world.deliver_all()
    return world.actor(account_id)


# --- a season -----------------------------------------------------------------------------------------------------------------


@story(
    "learning.enrol",
    "learning.get_progress",
    "learning.open_study_session",
    "learning.renew_play_token",
    "learning.confirm_presence",
    "learning.answer_quiz",
)
def test_a_teacher_enrols_opens_a_video_and_answers(world: World, here: Spot, at: Callable[[str], None]) -> None:
    at("2023-01-10T10:00:00+08:00")
    her = teacher(here.people["verified"])
    programme = {"programme_id": world.programme_id}
    world.call("learning", "enrol", programme, her)
    with world.process["learning"].database.work() as db:
        video = next(one for one in db.scalars(sa.select(Activity)) if one.quizzes)
        quiz = video.quizzes[0]
    opened = world.call(
        "learning", "open_study_session", {"activity_id": str(video.activity_id), "client_id": "device-one"}, her
    )
    session = {"study_session_id": opened["study_session_id"]}
    assert world.call("learning", "renew_play_token", session, her)["play_token"]
    world.call("learning", "confirm_presence", session, her)
    given = {**session, "quiz_id": quiz["quiz_id"], "answers": quiz["answers"]}
    world.call("learning", "answer_quiz", given, her)
    assert world.call("learning", "get_progress", programme, her)["courses"]


@story(
    "learning.list_exams",
    "learning.start_exam_attempt",
    "learning.list_exam_attempts",
    "learning.get_exam_attempt",
    "learning.save_exam_answers",
    "learning.submit_exam_attempt",
)
def test_a_teacher_sits_an_exam(world: World, here: Spot, at: Callable[[str], None]) -> None:
    at("2023-01-11T10:00:00+08:00")
    her = teacher(member(world, here))
    programme = SimpleNamespace(programme_id=world.programme_id)
    world.call("learning", "enrol", {"programme_id": world.programme_id}, her)
    exam: Any = publish(SimpleNamespace(learning=world.process["learning"]), programme)  # type: ignore[arg-type]
    attempt = exam.start(her)
    exam.answer_all(her, attempt)
    exam.submit(her, attempt)
    shown = world.call("learning", "get_exam_attempt", {"attempt_id": attempt["attempt_id"]}, her)
    assert shown["score"] == "100.00"
    assert exam.show(her)["exam_id"] == exam.exam_id
    assert world.call("learning", "list_exam_attempts", {"exam_id": exam.exam_id}, her)["items"]


@story("learning.appeal_study_review")
def test_a_teacher_appeals_against_what_the_county_upheld(world: World, here: Spot) -> None:
    find_conspicuous(world, here)
    review = {"review_id": here.things["review"]}
    [(suspect,)] = world.sql("learning", "SELECT teacher_id::text FROM study_review")
    world.call("learning", "decide_study_review", {**review, "upheld": True, **WHY}, DEPARTMENT)
    appealed = world.call("learning", "appeal_study_review", {**review, "reason": "本人学习"}, teacher(suspect))
    assert appealed["state"] == "APPEALED"


@dataclasses.dataclass(frozen=True)
class Certified:
    """A teacher with a certificate of the season."""

    teacher: Actor
    certificate_id: str
    number: str


@pytest.fixture(scope="module")
def certified(world: World, fixed: FixedClock) -> list[Certified]:
    """Three teachers studied everything, and the season is over."""
    here = world.spots[Where.OWN]
    fixed.instant = clock.parse_instant("2023-01-20T10:00:00+08:00")
    students = [teacher(member(world, here)) for _ in range(3)]
    for student in students:
        world.call("learning", "enrol", {"programme_id": world.programme_id}, student)
    world.deliver_all()
    for student in students:
        _watch_everything(world, student)
    world.deliver_all()
    fixed.instant = clock.parse_instant("2023-03-01T00:01:00+08:00")
    world.process["catalog"].service.close_due_programmes(fixed.instant)
    world.deliver_all()
    world.pass_markers()
    world.process["certs"].service.decide_certificates(fixed.instant)
    papers = [world.call("certs", "list_certificates", {}, student)["items"][0] for student in students]
    return [
        Certified(student, paper["certificate_id"], paper["number"])
        for student, paper in zip(students, papers, strict=True)
    ]


@story("credits.get_hours", "certs.verify_certificate", "certs.get_certificate", "certs-render.render_certificate")
def test_hours_become_a_certificate_that_its_holder_prints_and_anybody_checks(
    world: World, certified: list[Certified]
) -> None:
    one = certified[0]
    hours = world.call("credits", "get_hours", {"programme_id": world.programme_id}, one.teacher)
    assert hours["hours"] == "6.00"
    paper = {"certificate_id": one.certificate_id}
    assert world.call("certs", "get_certificate", paper, one.teacher)["number"] == one.number
    assert world.call("certs-render", "render_certificate", paper, one.teacher)
    assert world.call("certs", "verify_certificate", {"number": one.number}, ANONYMOUS)["state"] == "VALID"


@story("certs.get_credential", "certs.get_status_list")
def test_anybody_reads_a_certificate_as_a_credential(world: World, certified: list[Certified]) -> None:
    edition = {"number": certified[1].number, "edition": 1}
    assert world.call("certs", "get_credential", edition, ANONYMOUS)["credential"]
    assert world.call("certs", "get_status_list", {"list_number": 0}, ANONYMOUS)["credential"]


@story(
    "certs.propose_correction",
    "certs.get_correction",
    "certs.approve_correction",
    "certs.reject_correction",
    "certs.withdraw_correction",
)
def test_two_operators_correct_certificates(world: World, certified: list[Certified]) -> None:
    one, other = (elevated(person(None, (Role.NATIONAL_OPERATOR, NATION))) for _ in range(2))
    for verb, actor, more in (("withdraw", one, {}), ("reject", other, WHY), ("approve", other, {})):
        proposal = {"act": "REVOKE", "certificate_ids": [certified[0].certificate_id], **WHY}
        correction = {"correction_id": world.call("certs", "propose_correction", proposal, one)["correction_id"]}
        assert world.call("certs", "get_correction", correction, other)["state"] == "PROPOSED"
        world.call("certs", f"{verb}_correction", {**correction, **more}, actor)
    shown = world.call("certs", "verify_certificate", {"number": certified[0].number}, ANONYMOUS)
    assert shown["state"] == "REVOKED"


@story("certs.lift_issue_hold")
def test_an_operator_lets_a_held_issue_go_on(world: World, certified: list[Certified]) -> None:
    failed = {"programme_id": world.programme_id, "day": "2023-03-02", "differences": 1}
    world.process["certs"].deliver("on_reconciliation_failed", RECONCILIATION_FAILED, failed)
    operator = person(None, (Role.NATIONAL_OPERATOR, NATION))
    lifted = world.call("certs", "lift_issue_hold", {"programme_id": world.programme_id, **WHY}, operator)
    assert lifted["lifted_at"]


# --- what is declared -----------------------------------------------------------------------------------------------------------


def declared(world: World, author: Actor, **changes: Any) -> dict[str, str]:
    made = world.call("credits", "create_declaration", {**DECLARED, "year": 2023, **DATES, **changes}, author)
    return {"declaration_id": made["declaration_id"]}


DATES = {"started_on": "2023-03-01", "ended_on": "2023-03-02"}
PAGE = b"%PDF-1.4 a page"


@story(
    "credits.edit_declaration",
    "credits.prepare_attachment",
    "credits.keep_attachment",
    "credits.remove_attachment",
    "credits.submit_declaration",
    "credits.view_attachment",
    "credits.withdraw_declaration",
    "credits.void_declaration",
)
def test_a_declaration_with_its_proof_goes_through_both_reviews(
    world: World, here: Spot, at: Callable[[str], None]
) -> None:
    at("2023-06-01T10:00:00+08:00")
    her = teacher(here.people["second"])
    one = declared(world, her)
    changed = {**DECLARED, "year": 2023, **DATES, "title": "省级培训"}
    world.call("credits", "edit_declaration", {**one, **changed}, her)
    first, second = (_attach(world, one, her, PAGE + bytes([number])) for number in range(2))
    world.call("credits", "remove_attachment", first, her)
    world.call("credits", "submit_declaration", one, her)
    assert world.call("credits", "view_attachment", second, school_admin(here))["media_type"] == "application/pdf"
    world.call("credits", "withdraw_declaration", one, her)
    again = declared(world, her, title="另一培训")
    world.call("credits", "submit_declaration", again, her)
    world.call("credits", "pass_declaration", again, school_admin(here))
    world.call("credits", "approve_declaration", again, DEPARTMENT)
    voided = world.call("credits", "void_declaration", {**again, "reason": "材料不实"}, DEPARTMENT)
    assert voided["state"] == "VOIDED"


def _attach(world: World, declaration: dict[str, str], author: Actor, content: bytes) -> dict[str, str]:
    described = {"sha256": hashlib.sha256(content).hexdigest(), "media_type": "application/pdf", "size": len(content)}
    slot = world.call("credits", "prepare_attachment", {**declaration, **described}, author)
    one = {**declaration, "attachment_id": slot["attachment_id"]}
    world.call("credits", "keep_attachment", {**one, "storage_key": new_key("attachments")}, author)
    return one


PACK = "guangxi-school-based-sample"


@story("credits.evaluate_rules")
def test_anybody_signed_in_has_a_document_judged(world: World, here: Spot) -> None:
    document = {"kind": "items", "pack": PACK, "year": 2021, "items": [{"item": "GXS.1", "half_days": 8}]}
    judged = world.call("credits", "evaluate_rules", document, teacher(here.people["second"]))
    assert judged["credits"] == "3.00"


# --- a year that is closed ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frozen(world: World, fixed: FixedClock) -> None:
    fixed.instant = clock.parse_instant("2024-02-01T00:00:00+08:00")
    world.process["credits"].service.freeze_years(fixed.instant)
    world.deliver_all()


@pytest.mark.usefixtures("frozen")
@story(
    "credits.get_year_sheet",
    "certs-render.render_year_sheet",
    "certs-render.render_teacher_sheet",
    "certs-render.render_school_list",
)
def test_a_closed_year_is_printed_by_its_teacher_and_by_her_school(world: World, here: Spot) -> None:
    her = teacher(here.people["second"])
    assert world.call("credits", "get_year_sheet", {"year": 2023}, her)["year"] == 2023
    assert world.call("certs-render", "render_year_sheet", {"year": 2023}, her)["content"]
    head = appointed(world, Role.SCHOOL_ADMIN, here.place)
    one = {"teacher_id": str(her.account_id), "year": 2023, **WHY}
    assert world.call("certs-render", "render_teacher_sheet", one, head)["content"]
    whole = {"place": here.place, "year": 2023, **WHY}
    assert world.call("certs-render", "render_school_list", whole, head)["content"]


@pytest.mark.usefixtures("frozen")
@story(
    "credits.file_complaint",
    "credits.assign_complaint",
    "credits.answer_complaint",
    "credits.reopen_complaint",
    "credits.close_complaint",
)
def test_a_complaint_is_taken_answered_reopened_and_closed(world: World, here: Spot) -> None:
    her = teacher(here.people["second"])
    given = {"year": 2023, "about": "HOURS_MISSING", "text": "集中培训未计入"}
    one = {"complaint_id": world.call("credits", "file_complaint", given, her)["complaint_id"]}
    for text in ("仍有异议", ""):
        world.call("credits", "assign_complaint", one, DEPARTMENT)
        world.call("credits", "answer_complaint", {**one, "accepted": False, "reply": "已核实无误"}, DEPARTMENT)
        if text:
            world.call("credits", "reopen_complaint", {**one, "text": text}, her)
    assert world.call("credits", "close_complaint", one, her)["state"] == "CLOSED"


def test_a_story_that_does_not_bring_about_what_it_names_fails(world: World, request: pytest.FixtureRequest) -> None:
    """The twin: naming is not enough, nor is a refusal."""
    empty = telling(world, request)
    nested = next(empty)
    nested.tells = frozenset({"learning.enrol"})
    nobody = {"programme_id": str(uuid.uuid4())}
    with pytest.raises(Exception, match="person_unknown"):
        world.call("learning", "enrol", nobody, person())
    with pytest.raises(AssertionError, match=r"not brought about.*learning\.enrol"):
        next(empty)
