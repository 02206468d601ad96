"""Stories of what study comes to: certificates and links to them, declared hours, a closed year and what is said against it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from services.credits.contract.reconciling import RECONCILIATION_FAILED
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.storage import new_key
from tests.component.resync.conftest import _watch_everything
from tests.conftest import FixedClock, person
from tests.matrix.telling import story
from tests.matrix.world import (
    COUNTY,
    DECLARED,
    NATION,
    Spot,
    Where,
    World,
    appointed,
    elevated,
    member,
    school_admin,
    teacher,
)

WHY = {"reason": "情况属实"}
BEGINS_AT = "2022-11-20T10:00:00+08:00"
DEPARTMENT = person(None, (Role.COUNTY_ADMIN, COUNTY))


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
    "certs.share_certificate",
    "certs.list_shares",
    "certs.open_share",
    "certs-render.render_shared",
    "certs.revoke_share",
)
def test_a_holder_shows_a_certificate_by_a_link_and_takes_it_back(world: World, certified: list[Certified]) -> None:
    one = certified[2]
    paper = {"certificate_id": one.certificate_id}
    link = world.call("certs", "share_certificate", {**paper, "days": 7}, one.teacher)
    opener = {"token": link["token"]}
    assert world.call("certs", "open_share", opener, ANONYMOUS)["number"] == one.number
    assert world.call("certs-render", "render_shared", opener, ANONYMOUS)
    world.call("certs", "revoke_share", {"share_id": link["share_id"]}, one.teacher)
    [shown] = world.call("certs", "list_shares", paper, one.teacher)["items"]
    assert (shown["opened"], shown["live"]) == (1, False)


@story("certs.request_study_proof")
def test_a_teacher_has_what_she_studied_certified(world: World, certified: list[Certified]) -> None:
    proof = world.call("certs", "request_study_proof", {"programme_id": world.programme_id}, certified[1].teacher)
    assert (proof["kind"], proof["hours"]) == ("STUDY_PROOF", "6.00")


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
def diligent(world: World, fixed: FixedClock) -> Actor:
    """Somebody with all the hours that the province asks for a year."""
    here = world.spots[Where.OWN]
    fixed.instant = clock.parse_instant("2023-06-01T10:00:00+08:00")
    her = teacher(member(world, here))
    for hour_type, hours in (("公需科目", "30"), ("专业科目", "42"), ("个人选修科目", "18")):
        one = declared(world, her, title=hour_type, hour_type=hour_type, hours=hours)
        world.call("credits", "submit_declaration", one, her)
        world.call("credits", "pass_declaration", one, school_admin(here))
        world.call("credits", "approve_declaration", one, DEPARTMENT)
    world.deliver_all()
    return her


@pytest.fixture(scope="module")
def frozen(world: World, fixed: FixedClock, diligent: Actor) -> None:
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
@story("certs.request_credit_certificate")
def test_a_closed_year_with_all_its_hours_has_a_certificate(world: World, diligent: Actor) -> None:
    paper = world.call("certs", "request_credit_certificate", {"year": 2023}, diligent)
    assert (paper["kind"], paper["hours"]) == ("CREDIT", "90.00")


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
