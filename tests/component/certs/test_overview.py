"""What administrators see of a territory: the list, the figures that follow every change, and the files."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io

import openpyxl
import pytest

from services.certs.exports.service import CertsBulkService
from services.org import contract as org
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.bulk.files import SealedFile
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from tests.component.certs.conftest import COUNTY
from tests.component.certs.test_corrections import act_on, approver, propose, proposer  # noqa: F401  fixtures
from tests.conftest import person

CITY = "CN/440000/440100"
REASON = "年度证书存档"


@pytest.fixture
def head():
    return person(None, (Role.CITY_ADMIN, CITY))


def play(season, *teachers):
    """Close the season and count; the ids of the teachers, in order."""
    season.close()
    season.decide()
    recount(season)
    return list(teachers)


def recount(season):
    season.certs.service.count_certificates(clock.now())


def listed(season, actor, place=CITY, **filters):
    found, cursor = [], None
    while True:
        page = season.certs.call(
            "list_issued_certificates", {"place": place, "limit": 2, "cursor": cursor, **filters}, actor
        )
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return found


def figures(season, actor, place=CITY, **asked):
    asked = {"place": place, "programme_id": str(season.programme_id), **asked}
    reply = season.certs.call("get_certificate_statistics", asked, actor)
    return {each.pop("kind"): each for each in reply["kinds"]}


def counts(valid=0, replaced=0, revoked=0, blocked=0):
    return {"LEARNING": {"valid": valid, "replaced": replaced, "revoked": revoked, "blocked": blocked}}


def differences(season):
    return season.certs.call("reconcile_certificate_statistics", {}, service_actor("cli"))["differences"]


def test_a_list_goes_school_by_school_page_by_page(season, head):
    teachers = play(season, *(season.teacher(name=f"张小{name}") for name in "一二三四五"))
    season.place(teachers[0], "VERIFIED", place=f"{COUNTY}/s0")
    found = [each for each in listed(season, head) if each["programme"]["programme_id"] == str(season.programme_id)]
    assert [each["place"] for each in found] == [f"{COUNTY}/s0", *[f"{COUNTY}/s1"] * 4]
    assert {each["teacher_id"] for each in found} == {str(each) for each in teachers}
    assert {each["holder_name"] for each in found} == {f"张*{name}" for name in "一二三四五"}


def test_filters_narrow_the_list(season, head, proposer, approver, a_person):  # noqa: F811
    one, _ = play(season, season.teacher(), season.teacher(name="李四"))
    mine = {"programme_id": str(season.programme_id)}
    [paper] = [each for each in listed(season, head, **mine) if each["teacher_id"] == str(one)]
    act_on(season, "approve", propose(season, proposer, "REVOKE", paper["certificate_id"]), approver)
    assert [each["teacher_id"] for each in listed(season, head, state="REVOKED", **mine)] == [str(one)]
    assert len(listed(season, head, state="VALID", **mine)) == 1
    assert len(listed(season, head, kind="LEARNING", issued_from="2023-03-01", issued_to="2023-03-01", **mine)) == 2
    assert listed(season, head, issued_from="2023-03-02", **mine) == []
    assert listed(season, head, issued_to="2023-02-28", **mine) == []
    assert listed(season, head, kind="CREDIT", **mine) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "ISSUED"},
        {"kind": "DIPLOMA"},
        {"issued_from": "2023-03-02", "issued_to": "2023-03-01"},
        {"place": "DE/1"},
        {"cursor": {"place": CITY}},
        {"limit": 201},
    ],
)
def test_a_list_refuses_what_makes_no_sense(season, head, asked):
    with pytest.raises(InvalidInput):
        season.certs.call("list_issued_certificates", {"place": CITY, **asked}, head)


def test_nobody_reads_beyond_the_own_territory(season, head):
    for method in ("list_issued_certificates", "get_certificate_statistics", "list_certificate_statistics_below"):
        for place in ("CN", "CN/440000", "CN/450000"):
            with pytest.raises(NotFound):
                season.certs.call(method, {"place": place}, head)
        with pytest.raises(NotAllowed):
            season.certs.call(method, {"place": CITY}, person(None))


def test_figures_follow_every_change(season, head, proposer, approver):  # noqa: F811
    one, two, waiting = play(season, season.teacher(), season.teacher(), season.teacher(state="PENDING"))
    assert figures(season, head) == counts(valid=2, blocked=1)
    # Verified later: issued by itself.
    season.place(waiting, "VERIFIED")
    season.decide()
    recount(season)
    assert figures(season, head) == counts(valid=3)
    ids = {
        each["teacher_id"]: each["certificate_id"]
        for each in listed(season, head, programme_id=str(season.programme_id))
    }
    season.directory.names[str(one)] = "张晓明"
    act_on(season, "approve", propose(season, proposer, "REISSUE", ids[str(one)]), approver)
    act_on(season, "approve", propose(season, proposer, "REVOKE", ids[str(two)]), approver)
    recount(season)
    assert figures(season, head) == counts(valid=2, replaced=1, revoked=1)
    assert differences(season) == []


def test_who_moves_takes_the_certificates_along_and_who_leaves_is_counted_nowhere(season, head):
    one, two = play(season, season.teacher(), season.teacher())
    season.place(one, "VERIFIED", place="CN/440000/440300/440303/s9")
    recount(season)
    assert figures(season, head) == counts(valid=1)
    season.place(two, "RELEASED", place="")
    recount(season)
    assert figures(season, head) in ({}, counts())
    assert differences(season) == []


def test_counting_again_adds_nothing(season, head):
    one, _ = play(season, season.teacher(), season.teacher())
    season.place(one, "VERIFIED")
    season.place(one, "VERIFIED")
    recount(season)
    assert figures(season, head) == counts(valid=2)


def test_figures_say_up_to_when_they_hold(season, head, fixed_clock):
    season.teacher()
    season.close()
    season.decide()
    decided = clock.now()
    fixed_clock.instant = decided + dt.timedelta(seconds=30)
    asked = {"place": CITY}
    assert clock.parse_instant(season.certs.call("get_certificate_statistics", asked, head)["as_of"]) <= decided
    recount(season)
    assert clock.parse_instant(season.certs.call("get_certificate_statistics", asked, head)["as_of"]) == clock.now()


def test_the_places_below_come_in_the_order_of_the_tree(season):
    teachers = play(season, *(season.teacher() for _ in range(3)))
    for teacher, school in zip(teachers, ("s3", "s1", "s2"), strict=True):
        season.place(teacher, "VERIFIED", place=f"{COUNTY}/{school}")
    recount(season)
    county = person(None, (Role.COUNTY_ADMIN, COUNTY))
    asked = {"place": COUNTY, "programme_id": str(season.programme_id), "limit": 200}
    page = season.certs.call("list_certificate_statistics_below", asked, county)
    held = [each for each in page["items"] if any(kind["valid"] for kind in each["kinds"])]
    assert [each["place"] for each in held] == [f"{COUNTY}/{school}" for school in ("s1", "s2", "s3")]
    first = season.certs.call("list_certificate_statistics_below", {**asked, "limit": 1}, county)
    after = season.certs.call(
        "list_certificate_statistics_below", {**asked, "limit": 1, "cursor": first["next_cursor"]}, county
    )
    assert first["items"][0]["place"] < after["items"][0]["place"]


# --- files --------------------------------------------------------------------------------------------------------------


class Names:
    """Identity as exports see it."""

    def __init__(self):
        self.disclosed = []

    def call(self, service, method, arguments, **_options):
        assert service == "identity"
        if method == "get_profile":
            return {"name": "赵小红"}
        assert method == "disclose_people"
        self.disclosed += [(each, arguments["reason"]) for each in arguments["account_ids"]]
        people = [
            {"account_id": each, "name": "=HYPERLINK(1)", "learner_no": "G2023000123"}
            for each in arguments["account_ids"]
        ]
        return {"people": people}


@pytest.fixture
def names():
    return Names()


@pytest.fixture
def files(component, names):
    return component(CertsBulkService, bus=names)


@pytest.fixture
def exporter(season, head):
    payload = {"account_id": str(head.account_id), "version": 1, "grants": [[str(Role.CITY_ADMIN), CITY]]}
    season.deliver("on_grants_changed", org.GRANTS_CHANGED, payload)
    return dataclasses.replace(head, elevated_until=clock.now() + dt.timedelta(days=3650))


def export(files, actor, kind, **filters):
    wanted = {"kind": kind, "place": CITY, "reason": REASON, "filters": filters}
    job = {"job_id": files.call("request_export", wanted, actor)["job_id"]}
    while files.service.runner.run_next():
        pass
    token = files.call("open_download", job, actor)["token"]
    redeemed = files.call("redeem_download", {**job, "token": token}, actor)
    content = b"".join(files.service.files.read(SealedFile.from_wire(redeemed["file"])))
    sheets = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    return [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]


def test_a_file_of_certificates_names_the_holders_and_who_took_it(season, files, names, exporter):
    one, _ = play(season, season.teacher(), season.teacher())
    rows = export(files, exporter, "export_certificates", programme_id=str(season.programme_id))
    text = "\n".join(str(cell) for row in rows for cell in row if cell)
    assert "赵**" in text
    assert REASON in text
    assert (str(one), REASON) in names.disclosed
    body = [row for row in rows if "G2023000123" in row]
    assert len(body) == 2
    assert {row[3] for row in body} == {"学习证书"}
    assert {row[-1] for row in body} == {"有效"}


def test_a_file_of_figures_tells_nobody_by_name(season, files, names, exporter):
    play(season, season.teacher(), season.teacher(state="PENDING"))
    rows = export(files, exporter, "export_certificate_statistics", programme_id=str(season.programme_id))
    [city] = [row for row in rows if row[0] == CITY]
    assert city[1:] == ("学习证书", "2023年寒假教师研修", "1", "0", "0", "1")
    assert names.disclosed == []


def test_without_a_fresh_code_there_is_no_file(season, files, head):
    with pytest.raises(NotAllowed):
        export(files, head, "export_certificates")
