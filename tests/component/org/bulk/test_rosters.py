"""Rosters of teachers: a school's own, and what a preview foresees without telling what its reader may not know."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org.actions import rosters
from services.org.contract.bulk import TEACHER_COLUMNS
from services.org.models import Membership
from services.shared.actor import Actor, Role
from services.shared.bulk import runner
from tests.component.org.bulk.conftest import Jobs, workbook
from tests.component.org.conftest import YUEXIU, Org
from yanxiu.journey.people import complete_id_no

pytestmark = pytest.mark.postgres

HAIZHU = "CN/440000/440100/440105"


def school_with_code(org: Org, division: str = "440104") -> tuple[dict[str, Any], str]:
    code = f"2144{uuid.uuid4().int % 10**6:06d}"
    return org.school(division, code=code), code


def a_person(**changes: str) -> dict[str, str]:
    chance = random.Random(uuid.uuid4().int)
    born = dt.date(1960, 1, 1) + dt.timedelta(days=chance.randrange(14_000))
    good = {
        "name": "王小明",
        "id_type": "RESIDENT_ID",
        "id_no": complete_id_no(f"440100{born:%Y%m%d}{chance.randrange(1000):03d}"),
        "phone": f"19{chance.randrange(10**9):09d}",
        "segment": "小学",
        "subject": "语文",
    }
    return {**good, **changes}


def file_of(*rows: dict[str, str]) -> bytes:
    return workbook(TEACHER_COLUMNS, *([row[column.key] for column in TEACHER_COLUMNS] for row in rows))


def told(jobs: Jobs, job_id: str, actor: Actor) -> list[tuple[str, str, str]]:
    return [(row["outcome"], row["code"], row["field"]) for row in jobs.rows(job_id, actor)]


def preview(jobs: Jobs, actor: Actor, *rows: dict[str, str]) -> tuple[str, list[tuple[str, str, str]]]:
    job_id = jobs.upload(actor, "import_teachers", file_of(*rows))
    jobs.run()
    assert jobs.get(job_id, actor)["state"] == "READY"
    return job_id, told(jobs, job_id, actor)


def members(jobs: Jobs, school: dict[str, Any]) -> int:
    with jobs.component.database.work() as db:
        count = sa.select(sa.func.count()).where(Membership.school_id == uuid.UUID(school["school_id"]))
        return db.execute(count).scalar_one()


PENDING = ("PENDING", "", "")
CREATED = ("CREATED", "", "")
SCHOOL_UNKNOWN = ("REFUSED", "org.school_unknown", "school_code")
ELSEWHERE = ("REFUSED", "org.member_elsewhere", "school_code")


# --- a school's own roster ------------------------------------------------------------------------------------------------


def test_a_schools_admin_loads_the_own_roster_and_nobody_elses(jobs: Jobs, org: Org) -> None:
    (own, own_code), (other, other_code) = school_with_code(org), school_with_code(org)
    admin = org.holder(Role.SCHOOL_ADMIN, own["place"])
    rows = [a_person(school_code=own_code), a_person(school_code=other_code), a_person(school_code="2144999999")]
    job_id, shown = preview(jobs, admin, *rows)
    assert shown == [PENDING, SCHOOL_UNKNOWN, SCHOOL_UNKNOWN]
    jobs.call("start_job", {"job_id": job_id}, admin)
    jobs.run()
    assert told(jobs, job_id, admin) == [CREATED, SCHOOL_UNKNOWN, SCHOOL_UNKNOWN]
    assert (members(jobs, own), members(jobs, other)) == (1, 0)


def test_without_a_preview_the_wall_stands_all_the_same(jobs: Jobs, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    (own, own_code), (other, other_code) = school_with_code(org), school_with_code(org)
    admin = org.holder(Role.SCHOOL_ADMIN, own["place"])
    sent: list[Any] = []
    tell_for = jobs.component.service.bus.tell_for

    def tell(actor: Actor, service: str, method: str, arguments: dict[str, Any], command_id: str) -> Any:
        sent.extend(arguments["rows"])
        return tell_for(actor, service, method, arguments, command_id)

    monkeypatch.setattr(jobs.component.service.bus, "tell_for", tell)
    rows = [a_person(school_code=own_code), a_person(school_code=other_code)]
    job_id = jobs.upload(admin, "import_teachers", file_of(*rows), at_once=True)
    jobs.run()
    assert told(jobs, job_id, admin) == [CREATED, SCHOOL_UNKNOWN]
    assert [row["id_no"] for row in sent] == [rows[0]["id_no"]], "nobody else's account is made"
    assert members(jobs, other) == 0


def test_sabotage_without_the_wall_the_other_schools_row_would_come_in(
    jobs: Jobs, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own, _), (other, other_code) = school_with_code(org), school_with_code(org)
    admin = org.holder(Role.SCHOOL_ADMIN, own["place"])
    monkeypatch.setattr(rosters, "_reaches", lambda *_: True)
    job_id = jobs.upload(admin, "import_teachers", file_of(a_person(school_code=other_code)), at_once=True)
    jobs.run()
    assert told(jobs, job_id, admin) == [CREATED]
    assert members(jobs, other) == 1


def test_a_school_is_told_less_of_people_whom_its_rows_contradict_than_a_county(jobs: Jobs, org: Org) -> None:
    school, code = school_with_code(org)
    county, admin = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.holder(Role.SCHOOL_ADMIN, school["place"])
    known = a_person(school_code=code)
    jobs.submit(county, "import_teachers", [known])
    jobs.run()
    strangers = [{**known, "name": "李四"}, a_person(school_code=code, phone=known["phone"])]
    codes = {}
    for actor in (county, admin):
        ids = [jobs.submit(actor, "import_teachers", [row]) for row in strangers]
        jobs.run()
        codes[actor.account_id] = [told(jobs, job_id, actor)[0][1:] for job_id in ids]
    assert codes[county.account_id] == [
        ("identity.import_name_differs", "name"),
        ("identity.import_phone_belongs", "phone"),
    ]
    assert codes[admin.account_id] == [("identity.person_known", "")] * 2


# --- what a preview foresees ------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(jobs: Jobs, org: Org) -> dict[str, str]:
    """Somebody at a school of another county."""
    _, code = school_with_code(org, "440105")
    person = a_person(school_code=code)
    keeper = org.holder(Role.COUNTY_ADMIN, HAIZHU)
    job_id = jobs.submit(keeper, "import_teachers", [person])
    jobs.run()
    assert told(jobs, job_id, keeper) == [CREATED]
    return person


@pytest.fixture(params=[Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN])
def importer(request: pytest.FixtureRequest, org: Org) -> tuple[Actor, str]:
    """Who imports, and the code of a school that is his to fill."""
    school, code = school_with_code(org)
    place = school["place"] if request.param is Role.SCHOOL_ADMIN else YUEXIU
    return org.holder(request.param, place), code


def test_the_preview_tells_who_is_elsewhere_only_to_whom_knows_all_three(
    jobs: Jobs, importer: tuple[Actor, str], elsewhere: dict[str, str]
) -> None:
    actor, code = importer
    theirs = {**elsewhere, "school_code": code}
    stranger = a_person(school_code=code)
    _, shown = preview(jobs, actor, theirs, stranger)
    assert shown == [ELSEWHERE, PENDING]
    guesses = [
        {**theirs, "name": "李四"},
        {**theirs, "phone": a_person()["phone"]},
        {**theirs, "id_no": a_person()["id_no"]},
    ]
    for guess in guesses:
        assert preview(jobs, actor, guess)[1] == [PENDING], "as of somebody whom nobody knows"


def test_the_preview_of_another_territorys_school_says_nothing_of_its_people(
    jobs: Jobs, importer: tuple[Actor, str], elsewhere: dict[str, str]
) -> None:
    actor, _ = importer
    nowhere = {**a_person(), "school_code": "2144999999"}
    assert preview(jobs, actor, elsewhere, nowhere)[1] == [SCHOOL_UNKNOWN] * 2


def test_a_list_in_a_request_is_previewed_alike(
    jobs: Jobs, importer: tuple[Actor, str], elsewhere: dict[str, str]
) -> None:
    actor, code = importer
    strangers = [a_person(school_code=each) for each in (code, elsewhere["school_code"], "")]
    rows = [{**elsewhere, "school_code": code}, *strangers]
    job_id = jobs.submit(actor, "import_teachers", rows, at_once=False)
    assert told(jobs, job_id, actor) == [
        ELSEWHERE,
        PENDING,
        SCHOOL_UNKNOWN,
        ("REFUSED", "shared.value_missing", "school_code"),
    ]


def test_what_was_foreseen_may_be_tried_again_once_it_is_no_longer_so(jobs: Jobs, org: Org) -> None:
    keeper, code = org.holder(Role.COUNTY_ADMIN, YUEXIU), f"2144{uuid.uuid4().int % 10**6:06d}"
    job_id, shown = preview(jobs, keeper, a_person(school_code=code))
    assert shown == [SCHOOL_UNKNOWN]
    jobs.call("start_job", {"job_id": job_id}, keeper)
    jobs.run()
    school = org.school(code=code)
    jobs.call("rerun_job", {"job_id": job_id}, keeper)
    jobs.run()
    assert told(jobs, job_id, keeper) == [CREATED]
    assert members(jobs, school) == 1


def test_who_lost_the_right_before_the_preview_sees_none(
    jobs: Jobs, org: Org, monkeypatch: pytest.MonkeyPatch, elsewhere: dict[str, str]
) -> None:
    school, code = school_with_code(org)
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    job_id = jobs.upload(admin, "import_teachers", file_of({**elsewhere, "school_code": code}))
    monkeypatch.setattr(type(jobs.component.service), "read_grants", lambda *_: ())
    jobs.component.service.__dict__.pop("runner", None)
    jobs.run()
    job = jobs.get(job_id, admin)
    assert (job["state"], job["code"], job["counts"]["total"]) == ("REFUSED", "shared.rights_gone", 0)
    assert jobs.rows(job_id, admin) == []


def test_nobody_is_asked_for_a_preview_that_nobody_looks_at(
    jobs: Jobs, importer: tuple[Actor, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, code = importer
    asked: list[str] = []
    monkeypatch.setattr(jobs.component.service.bus, "ask", lambda *arguments: asked.append(arguments[1]))
    monkeypatch.setattr(runner, "BATCH_ROWS", 2)
    job_id = jobs.upload(
        actor, "import_teachers", file_of(*(a_person(school_code=code) for _ in range(3))), at_once=True
    )
    jobs.run()
    assert told(jobs, job_id, actor) == [CREATED] * 3
    assert asked == []
