"""Exports: what is in them, who gets them, and five hundred ways to get one without the right to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import random
import uuid
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from services.identity.service import IdentityService
from services.shared import clock
from services.shared.actor import Actor, Desk, Role
from services.shared.bulk import exporting, queries, upkeep
from services.shared.bulk.files import SealedFile
from services.shared.bulk.rules import DOWNLOAD_LIFETIME, FILE_LIFETIME, MAXIMUM_EXPORTS_A_DAY
from services.shared.crypto import SealError
from services.shared.errors import Conflict, LimitReached, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.bulk.conftest import LIWAN, Jobs, raised
from tests.component.org.conftest import GUANGZHOU, HAIZHU, YUEXIU, Org
from yanxiu import samples

pytestmark = pytest.mark.postgres

REASON = "年度验证核对名册"


@pytest.fixture
def identity(component: Callable[..., Any], neighbours: Any) -> Any:
    """Identity with its own ears: what org announced is carried over by hand."""
    return component(IdentityService)


@dataclasses.dataclass
class County:
    """Liwan with its sample teachers, known to identity as placed there."""

    admin: Actor
    edition: int


# The sample teachers come in once in a run; what tests do here leaves them as they are.
_imported: dict[str, int] = {}


@pytest.fixture
def county(jobs: Jobs, org: Org, identity: Any, admin: Actor, edition: int) -> County:
    run = jobs.component.service.settings.database_prefix
    if run not in _imported:
        jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
        jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
        for payload in org.component.outbox("org.membership_changed"):
            if payload["place"].startswith(LIWAN):
                identity.deliver("on_membership_changed", "org.membership_changed", payload)
        _imported[run] = edition
    return County(raised(admin), _imported[run])


@pytest.fixture(autouse=True)
def a_name(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrators of these tests have grants and no accounts; their names are another test's."""
    monkeypatch.setattr(type(jobs.component.service), "name_of", lambda *_: "赵**")


def ask(jobs: Jobs, actor: Actor, kind: str = "export_teachers", place: str = LIWAN, **changes: Any) -> str:
    arguments = {"kind": kind, "place": place, "reason": REASON, **changes}
    return str(jobs.call("request_export", arguments, actor)["job_id"])


def fetch(jobs: Jobs, actor: Actor, job_id: str) -> bytes:
    token = jobs.call("open_download", {"job_id": job_id}, actor)["token"]
    redeemed = jobs.call("redeem_download", {"job_id": job_id, "token": token}, actor)
    return b"".join(jobs.component.service.files.read(SealedFile.from_wire(redeemed["file"])))


def sheet(content: bytes, number: int = 0) -> list[list[str]]:
    rows = openpyxl.load_workbook(io.BytesIO(content)).worksheets[number].iter_rows(values_only=True)
    return [[str(cell or "") for cell in row] for row in rows]


# --- what is in them ----------------------------------------------------------------------------------------------------------


def test_teachers_leave_whole_and_the_file_says_who_took_them_and_why(jobs: Jobs, county: County) -> None:
    job_id = ask(jobs, county.admin)
    jobs.run()
    job = jobs.get(job_id, county.admin)
    content = fetch(jobs, county.admin, job_id)
    header, *rows = sheet(content)
    assert (job["state"], job["counts"]["total"], job["counts"]["created"]) == ("DONE", len(rows), len(rows))
    by_number = {row[header.index("证件号码")]: row for row in rows}
    wanted = samples.teachers(county.edition).rows[0]
    row = by_number[wanted["id_no"]]
    assert [
        row[header.index(title)] for title in ("姓名", "手机号", "证件类型", "任教学段", "审核状态", "在岗状态")
    ] == [
        wanted["name"],
        wanted["phone"],
        "居民身份证",
        wanted["segment"],
        "待审核",
        "在职",
    ]
    assert row[header.index("行政区划代码")] == "440103"
    notes = dict(tuple(row[:2]) for row in sheet(content, 1))
    assert notes["用途"] == REASON
    assert notes["导出人"] == "赵**"
    assert notes["任务编号"] == job_id
    margin = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].oddHeader.left.text
    assert all(word in margin for word in ("赵**", job_id, REASON))


def test_an_export_reads_page_by_page(jobs: Jobs, county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 7)
    job_id = ask(jobs, county.admin)
    jobs.run()
    header, *rows = sheet(fetch(jobs, county.admin, job_id))
    numbers = [row[header.index("证件号码")] for row in rows]
    assert len(numbers) == len(set(numbers)) == jobs.get(job_id, county.admin)["counts"]["total"]


def test_whom_identity_does_not_disclose_has_no_name(
    jobs: Jobs, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.component.service.bus, "tell_for", lambda *_: {"people": []})
    job_id = ask(jobs, county.admin)
    jobs.run()
    header, *rows = sheet(fetch(jobs, county.admin, job_id))
    assert {row[header.index("姓名")] for row in rows} == {""}
    assert all(row[header.index("学校")] for row in rows)


def test_activation_and_codes_leave_without_a_name_or_a_code(jobs: Jobs, org: Org) -> None:
    admin = raised(org.holder(Role.COUNTY_ADMIN, YUEXIU))
    school = org.school(code=f"21440{uuid.uuid4().int % 100_000:05d}")
    elsewhere = org.school("440105", code=f"21440{uuid.uuid4().int % 100_000:05d}")
    wanted = (school["code"], "2144999999", elsewhere["code"])
    job_id = jobs.submit(admin, "generate_codes", [{"school_code": code} for code in wanted])
    jobs.run()
    counts = jobs.get(job_id, admin)["counts"]
    assert (counts["created"], counts["refused"]) == (1, 2)
    refused = jobs.rows(job_id, admin, outcome="REFUSED")
    assert {(row["code"], row["field"]) for row in refused} == {("org.place_unknown", "school_code")}
    text = jobs.report(job_id, admin)[1][-1]
    assert len(text.replace("-", "").replace(" ", "")) == 18
    with jobs.component.database.work() as db:
        rows = db.execute(sa.text("SELECT told_sealed FROM bulk_row WHERE job_id = :id"), {"id": job_id}).scalars()
        assert text not in "".join(rows)
    for kind, title in (("export_activation", "激活状态"), ("export_codes", "状态")):
        exported = ask(jobs, admin, kind, YUEXIU)
        jobs.run()
        content = fetch(jobs, admin, exported)
        header, *rows = sheet(content)
        mine = [row for row in rows if row[0] == school["name"]]
        assert [row[header.index(title)] for row in mine] == [{"激活状态": "已生成", "状态": "待激活"}[title]]
        assert text not in str(rows)
    upkeep.keep_house(jobs.component.database, jobs.component.service.files, clock.now() + FILE_LIFETIME)
    jobs.call("make_report", {"job_id": job_id}, admin)
    jobs.run()
    assert text not in str(jobs.report(job_id, admin)), "a code is told within a day or not at all"


def test_transfers_leave_with_their_schools(jobs: Jobs, org: Org) -> None:
    admin = raised(org.holder(Role.COUNTY_ADMIN, YUEXIU))
    job_id = ask(jobs, admin, "export_transfers", YUEXIU, filters={"state": "PENDING"})
    jobs.run()
    assert jobs.get(job_id, admin)["state"] == "DONE"
    assert sheet(fetch(jobs, admin, job_id))[0][:4] == ["继续教育学号", "姓名", "原学校", "新学校"]


def test_a_formula_in_a_name_stays_a_text(jobs: Jobs, org: Org) -> None:
    admin = raised(org.holder(Role.COUNTY_ADMIN, YUEXIU))
    name = f"=HYPERLINK({uuid.uuid4().hex[:6]})"
    org.school(name=name)
    job_id = ask(jobs, admin, "export_activation", YUEXIU)
    jobs.run()
    cells = [cell for row in sheet(fetch(jobs, admin, job_id)) for cell in row]
    assert f"'{name}" in cells
    assert name not in cells


@pytest.mark.parametrize("filters", [{"state": "MOON"}, {"place": HAIZHU}, {"with_archived": "yes"}])
def test_filters_are_the_kinds_own(jobs: Jobs, county: County, filters: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match=r"shared\.invalid") as refused:
        ask(jobs, county.admin, filters=filters)
    assert refused.value.field.startswith("filters.")


def test_more_rows_than_may_leave_at_once_are_refused(
    jobs: Jobs, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = jobs.component.service
    small = dataclasses.replace(service.kinds["export_teachers"], longest=3)
    monkeypatch.setattr(type(service), "kinds", {**service.kinds, "export_teachers": small})
    service.__dict__.pop("runner", None)
    job_id = ask(jobs, county.admin)
    jobs.run()
    job = jobs.get(job_id, county.admin)
    assert (job["state"], job["code"], job["file_ready"]) == ("REFUSED", "shared.export_too_large", False)


# --- what is written down -------------------------------------------------------------------------------------------------------


def test_the_request_each_person_and_each_download_are_in_the_audit_trail(
    jobs: Jobs, county: County, identity: Any
) -> None:
    job_id = ask(jobs, county.admin)
    jobs.run()
    fetch(jobs, county.admin, job_id)
    who = str(county.admin.account_id)
    with jobs.component.database.work() as db:
        rows = db.execute(audit.select().where(audit.c.actor == who).order_by(audit.c.id)).all()
    trail = [(row.action, row.reason) for row in rows if row.after.get("job_id") == job_id]
    assert trail == [("request_export", REASON), ("open_download", REASON), ("redeem_download", REASON)]
    total = jobs.get(job_id, county.admin)["counts"]["total"]
    assert [row.after["rows"] for row in rows if row.action == "redeem_download"] == [str(total)]
    with identity.database.work() as db:
        disclosed = db.execute(audit.select().where(audit.c.action == "disclose_people")).all()
    mine = [row for row in disclosed if row.after == {"job_id": job_id}]
    assert len({row.subject for row in mine}) == total
    assert {row.reason for row in mine} == {REASON}


# --- who gets them ----------------------------------------------------------------------------------------------------------------


def test_the_right_is_looked_up_at_each_page(
    jobs: Jobs, org: Org, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 7)
    job_id = ask(jobs, county.admin)
    original: Any = queries.update_job
    pages: list[int] = []

    def revoke_after_the_second(db: Any, which: Any, **changes: Any) -> None:
        original(db, which, **changes)
        if "created" in changes and "state" not in changes:
            pages.append(changes["created"])
            if len(pages) == 2:
                db.execute(
                    sa.text("UPDATE admin_grant SET state = 'REVOKED', ended_at = now() WHERE account_id = :id"),
                    {"id": county.admin.account_id},
                )

    with monkeypatch.context() as patch:
        patch.setattr(queries, "update_job", revoke_after_the_second)
        jobs.run()
    job = jobs.get(job_id, county.admin)
    assert (job["state"], job["code"], job["file_ready"]) == ("STOPPED", "shared.rights_gone", False)
    assert len(pages) == 2


def test_nobody_exports_more_than_so_often_a_day(jobs: Jobs, org: Org) -> None:
    admin = raised(org.holder(Role.COUNTY_ADMIN, YUEXIU))
    for _ in range(MAXIMUM_EXPORTS_A_DAY):
        ask(jobs, admin, "export_codes", YUEXIU)
        jobs.run()
    with pytest.raises(LimitReached, match=r"shared\.too_many_exports"):
        ask(jobs, admin, "export_codes", YUEXIU)


def test_a_file_lives_a_day_and_its_token_minutes(jobs: Jobs, org: Org, fixed_clock: Any) -> None:
    admin = raised(org.holder(Role.COUNTY_ADMIN, YUEXIU))
    job_id = ask(jobs, admin, "export_codes", YUEXIU)
    jobs.run()
    token = jobs.call("open_download", {"job_id": job_id}, admin)["token"]
    fixed_clock.instant += DOWNLOAD_LIFETIME
    with pytest.raises(NotFound, match=r"shared\.download_unknown"):
        jobs.call("redeem_download", {"job_id": job_id, "token": token}, admin)
    fixed_clock.instant += FILE_LIFETIME - DOWNLOAD_LIFETIME - dt.timedelta(seconds=1)
    fetch(jobs, admin, job_id)
    fixed_clock.instant += dt.timedelta(seconds=1)
    with pytest.raises(Conflict, match=r"shared\.file_expired"):
        jobs.call("open_download", {"job_id": job_id}, admin)
    with pytest.raises(Conflict, match=r"shared\.file_expired"):
        jobs.call("make_report", {"job_id": job_id}, admin)


# --- how it cannot be got ---------------------------------------------------------------------------------------------------------

ATTEMPTS = 500


@dataclasses.dataclass
class Burglary:
    """A finished export of Liwan, its owner, and everybody who would like to have it."""

    jobs: Jobs
    org: Org
    owner: Actor
    job_id: str
    used: str
    chance: random.Random

    def strangers(self) -> list[Actor]:
        return [
            self.org.holder(Role.COUNTY_ADMIN, HAIZHU),
            self.org.holder(Role.CITY_ADMIN, GUANGZHOU),
            self.org.holder(Role.NATIONAL_OPERATOR, "CN"),
            self.org.person(None, (Role.AUDITOR, "CN")),
            self.org.person(),
        ]


def without_code(it: Burglary) -> Any:
    actor = dataclasses.replace(it.owner, elevated_until=None)
    return ask(it.jobs, actor, it.chance.choice(["export_teachers", "export_codes"]))


def with_an_old_code(it: Burglary) -> Any:
    seconds = it.chance.randrange(0, 100_000)
    actor = dataclasses.replace(it.owner, elevated_until=clock.now() - dt.timedelta(seconds=seconds))
    return it.jobs.call("open_download", {"job_id": it.job_id}, actor)


def without_a_reason(it: Burglary) -> Any:
    return ask(it.jobs, it.owner, reason=it.chance.choice(["", "   ", "x", "核对", " " * 20, "长" * 201, None]))


def of_another_place(it: Burglary) -> Any:
    return ask(it.jobs, it.owner, place=it.chance.choice([HAIZHU, GUANGZHOU, "CN", "CN/110000", f"{LIWAN}0", "CN/44"]))


def by_a_crooked_place(it: Burglary) -> Any:
    crooked = [f"{LIWAN}/../440105", f"{LIWAN}%", f"{LIWAN},{HAIZHU}", "", "cn", f"{LIWAN}/", f"{LIWAN}\n{HAIZHU}"]
    return ask(it.jobs, it.owner, place=it.chance.choice(crooked))


def with_a_forged_scope(it: Burglary) -> Any:
    """Grants in the token that the database does not know: an old token, or one of a revoked admin."""
    role = it.chance.choice([Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.SUPER_ADMIN, Role.NATIONAL_OPERATOR])
    place = "CN" if role is Role.NATIONAL_OPERATOR else GUANGZHOU
    return ask(it.jobs, raised(it.org.person(None, (role, place))))


def with_the_wrong_role(it: Burglary) -> Any:
    role = it.chance.choice([Role.PRINCIPAL, Role.SUPPORT_AGENT, Role.AUDITOR])
    return ask(it.jobs, raised(it.org.person(None, (role, LIWAN))))


def at_the_teachers_desk(it: Burglary) -> Any:
    return ask(it.jobs, dataclasses.replace(it.owner, grants=(), desk=Desk.TEACHER))


def as_a_visitor(it: Burglary) -> Any:
    from services.shared.actor import ANONYMOUS

    return it.jobs.call(it.chance.choice(["request_export", "open_download", "redeem_download"]), {}, ANONYMOUS)


def as_the_command_line(it: Burglary) -> Any:
    from services.shared.actor import service_actor

    actor = service_actor(it.chance.choice(["cli", "learning", "gateway", "org"]))
    return it.jobs.call("open_download", {"job_id": it.job_id}, actor)


def somebody_elses_job(it: Burglary) -> Any:
    actor = raised(it.chance.choice(it.strangers()))
    return it.jobs.call("open_download", {"job_id": it.job_id}, actor)


def somebody_elses_token(it: Burglary) -> Any:
    token = it.jobs.call("open_download", {"job_id": it.job_id}, it.owner)["token"]
    actor = raised(it.chance.choice(it.strangers()))
    return it.jobs.call("redeem_download", {"job_id": it.job_id, "token": token}, actor)


def a_used_token(it: Burglary) -> Any:
    return it.jobs.call("redeem_download", {"job_id": it.job_id, "token": it.used}, it.owner)


def a_guessed_token(it: Burglary) -> Any:
    token = it.chance.choice([uuid.UUID(int=it.chance.getrandbits(128)).hex, it.used[:-1] + "x", it.used.upper(), "%"])
    return it.jobs.call("redeem_download", {"job_id": it.job_id, "token": token}, it.owner)


def a_token_of_another_job(it: Burglary) -> Any:
    token = it.jobs.call("open_download", {"job_id": it.job_id}, it.owner)["token"]
    return it.jobs.call("redeem_download", {"job_id": str(new_id()), "token": token}, it.owner)


def the_file_of_a_job_that_never_ran(it: Burglary) -> Any:
    job_id = ask(it.jobs, it.owner, "export_codes")
    try:
        it.jobs.call("open_download", {"job_id": job_id}, it.owner)
    finally:
        it.jobs.call("cancel_job", {"job_id": job_id}, it.owner)
        with it.jobs.component.database.work() as db:
            # The day's number of exports is another test's.
            db.execute(sa.text("UPDATE bulk_job SET created_at = created_at - interval '2 days'"))


def an_import_kind_as_an_export(it: Burglary) -> Any:
    return ask(it.jobs, it.owner, it.chance.choice(["import_teachers", "verify_memberships", "export_planets"]))


def an_export_kind_as_a_job(it: Burglary) -> Any:
    return it.jobs.submit(it.owner, "export_teachers", [{"place": LIWAN}])


def the_pieces_on_the_disk(it: Burglary) -> Any:
    """Whoever reads the store without the key, or mends the pieces, gets nothing."""
    with it.jobs.component.database.work() as db:
        found = queries.get_job(db, uuid.UUID(it.job_id), it.owner.account_id)
    file = SealedFile.from_wire(found.file)
    changed = dataclasses.replace(file, file_id=uuid.UUID(int=it.chance.getrandbits(128)))
    return list(it.jobs.component.service.files.read(changed))


def people_straight_from_identity(it: Burglary) -> Any:
    bus = it.jobs.component.service.bus
    arguments = {"account_ids": [str(new_id())], "reason": REASON, "job_id": it.job_id}
    actor = it.chance.choice(
        [dataclasses.replace(it.owner, elevated_until=None), raised(it.org.person()), raised(it.strangers()[3])]
    )
    return bus.tell_for(actor, "identity", "disclose_people", arguments, str(new_id()))


WAYS = [
    without_code,
    with_an_old_code,
    without_a_reason,
    of_another_place,
    by_a_crooked_place,
    with_a_forged_scope,
    with_the_wrong_role,
    at_the_teachers_desk,
    as_a_visitor,
    as_the_command_line,
    somebody_elses_job,
    somebody_elses_token,
    a_used_token,
    a_guessed_token,
    a_token_of_another_job,
    the_file_of_a_job_that_never_ran,
    an_import_kind_as_an_export,
    an_export_kind_as_a_job,
    the_pieces_on_the_disk,
    people_straight_from_identity,
]


@pytest.fixture
def burglary(jobs: Jobs, org: Org, county: County) -> Burglary:
    job_id = ask(jobs, county.admin)
    jobs.run()
    used = jobs.call("open_download", {"job_id": job_id}, county.admin)["token"]
    jobs.call("redeem_download", {"job_id": job_id, "token": used}, county.admin)
    return Burglary(jobs, org, county.admin, job_id, used, random.Random(20261122))


def test_five_hundred_attempts_and_not_one_succeeds(burglary: Burglary) -> None:
    done = 0
    while done < ATTEMPTS:
        for way in WAYS:
            with pytest.raises((ServiceError, SealError)) as refused:
                way(burglary)
            assert getattr(refused.value, "code", "sealed") != "shared.defect", way.__name__
            done += 1
    # And the door still opens to whoever has the key.
    assert fetch(burglary.jobs, burglary.owner, burglary.job_id).startswith(b"PK")


def test_a_revoked_admin_fetches_nothing_that_he_made(burglary: Burglary, org: Org) -> None:
    token = burglary.jobs.call("open_download", {"job_id": burglary.job_id}, burglary.owner)["token"]
    grants = org.call("list_grants", {"place": LIWAN, "limit": 200}, org.person(None, (Role.COUNTY_ADMIN, LIWAN)))
    mine = [each for each in grants["items"] if each["account_id"] == str(burglary.owner.account_id)]
    boss = org.holder(Role.NATIONAL_OPERATOR, "CN")
    for grant in mine:
        org.call("revoke_grant", {"grant_id": grant["grant_id"]}, boss)
    # His token still names the grant; the database does not.
    for attempt in (
        lambda: burglary.jobs.call("redeem_download", {"job_id": burglary.job_id, "token": token}, burglary.owner),
        lambda: burglary.jobs.call("open_download", {"job_id": burglary.job_id}, burglary.owner),
    ):
        with pytest.raises(NotAllowed, match=r"shared\.rights_gone"):
            attempt()
    with pytest.raises(NotFound):
        ask(burglary.jobs, burglary.owner)


@pytest.mark.parametrize("way", [without_code, with_an_old_code, people_straight_from_identity])
def test_sabotage_without_the_step_up_they_would_succeed(
    burglary: Burglary, monkeypatch: pytest.MonkeyPatch, way: Callable[[Burglary], Any]
) -> None:
    monkeypatch.setattr(Actor, "is_elevated", lambda *_: True)
    if way is people_straight_from_identity:
        monkeypatch.setattr(burglary.chance, "choice", lambda options: options[0])
    way(burglary)


def test_sabotage_without_the_look_at_the_database_an_old_token_would_do(
    burglary: Burglary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(burglary.jobs.component.service), "_require_live", lambda *_: None)
    with_a_forged_scope(burglary)
