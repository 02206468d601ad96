"""Stories of units: schools that end and begin again, what is asked for and taken back, authority codes, and jobs."""

from __future__ import annotations

from typing import Any

import pytest

from services.credits.exports.service import CreditsBulkService
from services.org.contract.bulk import SCHOOL_COLUMNS
from services.shared import clock
from services.shared.actor import Actor, Role
from tests.component.org.bulk.conftest import workbook
from tests.component.org.conftest import new_school
from tests.conftest import person
from tests.matrix import telling as stories
from tests.matrix.telling import Telling, story
from tests.matrix.world import (
    COUNTY,
    OTHER_COUNTY,
    Spot,
    World,
    appointed,
    choose_courses,
    learner_no,
    member,
    school_admin,
    spot_id,
    teacher,
)

WHY = {"reason": "区教育局文件"}
KEEPER = person(None, (Role.COUNTY_ADMIN, COUNTY))


# --- schools ----------------------------------------------------------------------------------------------------------------------


def act(world: World, method: str, school: dict[str, Any], **more: Any) -> dict[str, Any]:
    """By the county, on the school as it stands."""
    shown = world.call("org", "get_school", {"school_id": school["school_id"]})
    arguments = {"school_id": school["school_id"], "version": shown["version"], **WHY, **more}
    changed: dict[str, Any] = world.call("org", method, arguments, KEEPER)
    return changed


@story("org.correct_school_code", "org.resume_school", "org.close_school", "org.reopen_school")
def test_a_school_is_suspended_resumed_closed_and_opened_again(world: World) -> None:
    school = world.call("org", "create_school", new_school("440104", code="2144000017"), KEEPER)
    assert act(world, "correct_school_code", school, code="2144000025")["code"] == "2144000025"
    act(world, "suspend_school", school)
    assert act(world, "resume_school", school)["state"] == "ACTIVE"
    assert act(world, "close_school", school)["state"] == "CLOSED"
    assert act(world, "reopen_school", school)["state"] == "ACTIVE"


@story("org.withdraw_school_move")
def test_a_county_takes_back_its_wish_for_a_school(world: World, there: Spot) -> None:
    wanted = {**spot_id(there), "division_code": "440104", "reason": "区划调整"}
    move = {"move_id": world.call("org", "request_school_move", wanted, KEEPER)["move_id"]}
    assert world.call("org", "withdraw_school_move", {**move, **WHY}, KEEPER)["state"] == "WITHDRAWN"


@story("org.request_school", "org.withdraw_school_request")
def test_a_teacher_who_waits_misses_a_school_and_finds_it_after_all(world: World) -> None:
    [waiting] = world.new_people(1)
    world.deliver_all()
    world.call("org", "choose_school", {"other_of": "440104"}, teacher(waiting))
    missing = {"name": "新建小学", "school_type": "PRIMARY", "town": "某街道"}
    request = {"request_id": world.call("org", "request_school", missing, teacher(waiting))["request_id"]}
    world.call("org", "withdraw_school_request", request, teacher(waiting))
    [shown] = world.call("org", "list_own_school_requests", {}, teacher(waiting))["items"]
    assert shown["state"] == "WITHDRAWN"


@story("org.withdraw_tenant_policy")
def test_a_county_takes_back_what_it_said_of_itself(world: World) -> None:
    county = appointed(world, Role.SUPER_ADMIN, OTHER_COUNTY)
    said = {"place": OTHER_COUNTY, "mode": "GATED", "max_school_admins": 2, "profile_review": "NONE", **WHY}
    world.call("org", "set_tenant_policy", said, county)
    world.call("org", "withdraw_tenant_policy", {"place": OTHER_COUNTY, **WHY}, county)
    assert world.call("org", "get_tenant_policy", {"place": OTHER_COUNTY}, county)["mode"] == "OPEN"


@story("org.withdraw_transfer")
def test_the_school_that_asked_for_a_teacher_takes_it_back(world: World, here: Spot, there: Spot) -> None:
    wanted = {**spot_id(there), "learner_no": learner_no(world, member(world, here))}
    transfer = {"transfer_id": world.call("org", "request_transfer", wanted, school_admin(there))["transfer_id"]}
    withdrawn = world.call("org", "withdraw_transfer", transfer, school_admin(there))
    assert withdrawn["state"] == "WITHDRAWN"


def test_a_story_finds_a_stranger_who_is_let_through(
    world: World, here: Spot, there: Spot, told: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: whoever may do it is no stranger, and is noticed among them."""
    wanted = {**spot_id(there), "learner_no": learner_no(world, member(world, here))}
    transfer = {"transfer_id": world.call("org", "request_transfer", wanted, school_admin(there))["transfer_id"]}
    monkeypatch.setattr(stories, "strangers", lambda: [school_admin(there)])
    monkeypatch.setattr(told, "tells", frozenset({"org.withdraw_transfer"}))
    with pytest.raises(AssertionError, match="was let through"):
        world.call("org", "withdraw_transfer", transfer, school_admin(there))
    monkeypatch.undo()


@story("org.activate_authority_code")
def test_a_code_makes_an_ordinary_account_a_schools_administrator(world: World, here: Spot) -> None:
    seat = {"place": here.place, "role": "SCHOOL_ADMIN"}
    code = world.call("org", "generate_authority_code", seat, appointed(world, Role.COUNTY_ADMIN, COUNTY))["code"]
    activated = world.call("org", "activate_authority_code", {"code": code}, teacher(here.people["second"]))
    assert (activated["role"], activated["place"]) == ("SCHOOL_ADMIN", here.place)


@story("learning.submit_basket")
def test_a_teacher_sends_off_what_she_put_in_her_basket(world: World, here: Spot) -> None:
    choose_courses(world, here)
    her, offered = teacher(here.people["verified"]), here.things["offered"]
    world.call("learning", "put_in_basket", {"offering_id": offered}, her)
    world.call("learning", "submit_basket", {"offering_ids": [offered]}, her)
    assert world.sql("learning", f"SELECT state FROM choice WHERE offering_id = '{offered}'") == [("CHOSEN",)]


# --- jobs -------------------------------------------------------------------------------------------------------------------------


def run(world: World, process: str) -> None:
    while world.process[process].service.runner.run_next():
        pass


def upload(world: World, owner: Actor, data: bytes) -> dict[str, str]:
    file = world.process["org-bulk"].service.files.store([data])
    wanted = {"kind": "import_schools", "sha256": file.sha256}
    job = {"job_id": world.call("org-bulk", "open_job", wanted, owner)["job_id"]}
    assert world.call("org-bulk", "attach_file", {**job, "file": file.to_wire()}, owner)["accepted"]
    run(world, "org-bulk")
    return job


def roster(**changes: str) -> bytes:
    school = {
        "division_code": "440104",
        "name": f"花名册小学{clock.now():%H%M%S%f}",
        "school_type": "PRIMARY",
        "seal_name": "花名册小学",
        "town": "某街道",
        "nature": "PUBLIC",
        "head_name": "陈校长",
        "head_mobile": "13800000000",
    } | changes
    return workbook(SCHOOL_COLUMNS, [school.get(column.key, "") for column in SCHOOL_COLUMNS])


@story(
    "org-bulk.attach_file",
    "org-bulk.get_job",
    "org-bulk.list_job_rows",
    "org-bulk.start_job",
    "org-bulk.cancel_job",
    "org-bulk.rerun_job",
    "org-bulk.make_report",
    "org-bulk.open_download",
    "org-bulk.redeem_download",
)
def test_a_roster_is_uploaded_looked_at_run_and_told(world: World) -> None:
    owner = appointed(world, Role.COUNTY_ADMIN, COUNTY)
    cancelled = upload(world, owner, roster())
    assert world.call("org-bulk", "cancel_job", cancelled, owner)["state"] == "CANCELLED"
    job = upload(world, owner, roster(division_code="440105"))
    assert world.call("org-bulk", "get_job", job, owner)["state"] == "READY"
    world.call("org-bulk", "start_job", job, owner)
    run(world, "org-bulk")
    [row] = world.call("org-bulk", "list_job_rows", job, owner)["items"]
    assert row["outcome"] == "REFUSED"  # a school of another county
    world.call("org-bulk", "rerun_job", job, owner)
    run(world, "org-bulk")
    world.call("org-bulk", "make_report", job, owner)
    run(world, "org-bulk")
    token = world.call("org-bulk", "open_download", job, owner)["token"]
    assert world.call("org-bulk", "redeem_download", {**job, "token": token}, owner)["file"]


@story(
    "credits-bulk.get_job",
    "credits-bulk.cancel_job",
    "credits-bulk.open_download",
    "credits-bulk.redeem_download",
)
def test_declarations_are_exported_and_fetched(world: World) -> None:
    assert isinstance(world.process["credits-bulk"].service, CreditsBulkService)
    owner = appointed(world, Role.COUNTY_ADMIN, COUNTY)
    wanted = {"kind": "export_declarations", "place": COUNTY, "reason": "年度验证存档"}
    cancelled, job = (
        {"job_id": world.call("credits-bulk", "request_export", wanted, owner)["job_id"]} for _ in range(2)
    )
    world.call("credits-bulk", "cancel_job", cancelled, owner)
    run(world, "credits-bulk")
    assert world.call("credits-bulk", "get_job", job, owner)["state"] == "DONE"
    token = world.call("credits-bulk", "open_download", job, owner)["token"]
    assert world.call("credits-bulk", "redeem_download", {**job, "token": token}, owner)["file"]
