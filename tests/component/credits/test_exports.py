"""Credits' files: what is in them, who gets them, that they end, and that no cell of them is a formula."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io

import openpyxl
import pytest
import sqlalchemy as sa

from services.credits.contract.declarations import DeclaredKind
from services.credits.exports import words
from services.credits.exports.service import CreditsBulkService
from services.org import contract as org
from services.shared import clock
from services.shared.actor import Role
from services.shared.bulk import exporting, upkeep
from services.shared.bulk.files import SealedFile
from services.shared.bulk.rules import FILE_LIFETIME
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.credits.conftest import membership, told
from tests.conftest import person

REASON = "年度验证存档"


class Directory:
    """Identity as exports see it; the name of whoever is exported is a formula, if a spreadsheet took it for one."""

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
def directory():
    return Directory()


@pytest.fixture
def files(component, directory):
    return component(CreditsBulkService, bus=directory)


@pytest.fixture
def head(recognition, county):
    """The county's administrator, of whose grant credits was told, with a fresh code."""
    actor = person(None, (Role.COUNTY_ADMIN, county))
    grant(recognition, actor, [[str(Role.COUNTY_ADMIN), county]])
    return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(days=3650))


def grant(recognition, actor, grants, version=1):
    payload = {"account_id": str(actor.account_id), "version": version, "grants": grants}
    recognition.deliver("on_grants_changed", *told(org.GRANTS_CHANGED, payload))


def run(files):
    while files.service.runner.run_next():
        pass


def export(files, actor, kind, place, **filters):
    wanted = {"kind": kind, "place": place, "reason": REASON, "filters": filters}
    job_id = files.call("request_export", wanted, actor)["job_id"]
    run(files)
    return job_id


def fetch(files, actor, job_id):
    token = files.call("open_download", {"job_id": job_id}, actor)["token"]
    redeemed = files.call("redeem_download", {"job_id": job_id, "token": token}, actor)
    return b"".join(files.service.files.read(SealedFile.from_wire(redeemed["file"])))


def sheet(content, number=0):
    rows = openpyxl.load_workbook(io.BytesIO(content)).worksheets[number].iter_rows(values_only=True)
    return [[str(cell or "") for cell in row] for row in rows]


def table(content):
    header, *rows = sheet(content)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_frozen_years_leave_with_names_figures_and_hash(files, directory, teacher, earn, freeze, head, county):
    earn(teacher, "30")
    freeze()
    job_id = export(files, head, "export_verifications", county, year=2023)
    content = fetch(files, head, job_id)
    [row] = table(content)
    assert (row["姓名"], row["合计"], row["年度结果"], row["状态"]) == (
        "'=HYPERLINK(1)",
        "10.00",
        "未达到要求",
        "已锁定",
    )
    assert row["差额"] == "合计 6.00"
    assert row["各类别"] == "集中培训 0.00；远程培训 0.00；校本研修 10.00"
    assert len(row["快照校验值"]) == 64
    notes = dict(tuple(each[:2]) for each in sheet(content, 1))
    assert (notes["用途"], notes["导出人"], notes["范围"]) == (REASON, "赵**", county)
    assert directory.disclosed == [(str(teacher.account_id), REASON)]
    cells = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows()
    assert {cell.data_type for each in cells for cell in each} <= {"s", "n", "inlineStr"}


@pytest.mark.parametrize(
    ("kind", "filters", "each"),
    [
        ("export_verifications", {"year": 2023}, 1),
        ("export_declarations", {}, 1),
        ("export_credit_matrix", {"year": 2023}, 24),
    ],
)
def test_a_file_of_several_pages_holds_everybody_once(
    files, recognition, teacher, earn, freeze, head, county, monkeypatch, kind, filters, each
):
    monkeypatch.setattr(exporting, "PAGE_ROWS", 1)
    for _ in range(3):
        other = person()
        recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s1"))
        earn(other, "30")
    earn(teacher, "30")
    freeze()
    assert len(table(fetch(files, head, export(files, head, kind, county, **filters)))) == 4 * each


def test_open_years_leave_as_of_last_night_when_they_are_asked_for(
    files, credits_service, teacher, earn, at, head, county
):
    earn(teacher, "30")
    at("2023-11-21T00:10:00+08:00")
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_computation"))
    credits_service.service.compute_years(clock.now())
    assert table(fetch(files, head, export(files, head, "export_verifications", county, year=2023))) == []
    [row] = table(fetch(files, head, export(files, head, "export_verifications", county, year=2023, frozen=False)))
    assert (row["合计"], row["状态"], row["年度结果"], row["锁定日期"], row["快照校验值"]) == (
        "10.00",
        "未锁定",
        "未达到要求",
        "",
        "",
    )


def test_declarations_leave_by_their_filters_and_drafts_never(files, credits_service, teacher, earn, head, county):
    earn(teacher, "30")
    draft = {
        "year": 2023,
        "kind": "DEGREE",
        "title": "草稿",
        "institution": "县教研室",
        "hours": "9",
        "started_on": "2023-10-01",
        "ended_on": "2023-10-03",
    }
    credits_service.call("create_declaration", draft, teacher)
    [row] = table(fetch(files, head, export(files, head, "export_declarations", county)))
    assert (row["名称"], row["学时"], row["状态"], row["类型"], row["类别"]) == (
        "教研",
        "30",
        "已通过",
        "网外培训",
        "校本研修",
    )
    nothing = fetch(files, head, export(files, head, "export_declarations", county, state="RETURNED"))
    assert table(nothing) == []


def test_a_declared_activity_leaves_with_its_line_and_quantity(files, credits_service, teacher, head, county):
    activity = {
        "year": 2023,
        "kind": "RESEARCH",
        "title": "论文",
        "institution": "学会",
        "item": {"item": "GXS.5", "work": "monograph", "ten_thousand_characters": 2},
        "started_on": "2023-10-01",
        "ended_on": "2023-10-03",
    }
    made = credits_service.call("create_declaration", activity, teacher)
    credits_service.call("submit_declaration", {"declaration_id": made["declaration_id"]}, teacher)
    [row] = table(fetch(files, head, export(files, head, "export_declarations", county)))
    assert (row["学时"], row["类型"], row["类别"]) == (
        "GXS.5 work=monograph ten_thousand_characters=2",
        words.DECLARED[DeclaredKind.RESEARCH],
        "校本研修",
    )


def test_the_matrix_leaves_line_by_line(files, teacher, earn, head, county):
    earn(teacher, "30")
    rows = table(fetch(files, head, export(files, head, "export_credit_matrix", county, year=2023)))
    assert len(rows) == 4 * 6  # three forms and the total, in five years and the cycle
    found = {(row["类别"], row["年度"]): row for row in rows}
    cell = found["校本研修", "2023"]
    assert (cell["已认定"], cell["要求"], cell["完成情况"]) == ("10.00", "10.00", "已完成")
    assert found["合计", "周期 2021-2025"]["要求"] == "120.00"
    assert found["集中培训", "2022"]["完成情况"] == "无考核要求"


def test_statistics_leave_for_the_place_and_all_below(files, credits_service, recognition, teacher, head, county):
    recognition.deliver("on_membership_changed", *membership(person().account_id, f"{county}/s2"))
    credits_service.service.fold_statistics(clock.now())
    rows = table(fetch(files, head, export(files, head, "export_statistics", county)))
    assert [(row["位置"], row["注册"]) for row in rows] == [(county, "2"), (f"{county}/s1", "1"), (f"{county}/s2", "1")]


def test_nobody_takes_out_what_is_not_his(files, recognition, teacher, head, county):
    wanted = {"kind": "export_declarations", "place": county, "reason": REASON}
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        files.call("request_export", wanted, dataclasses.replace(head, elevated_until=None))
    with pytest.raises(NotFound):
        files.call("request_export", {**wanted, "place": county.rpartition("/")[0]}, head)
    with pytest.raises(InvalidInput):
        files.call("request_export", {**wanted, "reason": ""}, head)
    with pytest.raises(InvalidInput):
        files.call("request_export", {**wanted, "kind": "export_verifications"}, head)  # of which year?
    # The token still says so, org does not any more.
    grant(recognition, head, [], version=2)
    with pytest.raises(NotFound):
        files.call("request_export", wanted, head)


def test_a_grant_that_ends_while_the_job_waits_stops_it(files, recognition, teacher, earn, head, county):
    earn(teacher, "30")
    wanted = {"kind": "export_declarations", "place": county, "reason": REASON}
    job_id = files.call("request_export", wanted, head)["job_id"]
    grant(recognition, head, [], version=2)
    grant(recognition, head, [[str(Role.COUNTY_ADMIN), county]], version=1)  # late news changes nothing
    run(files)
    job = files.call("get_job", {"job_id": job_id}, head)
    assert (job["state"], job["code"], job["file_ready"]) == ("STOPPED", "shared.rights_gone", False)


def test_a_file_ends_within_a_day_and_its_taking_is_on_record(files, teacher, earn, head, county, at):
    earn(teacher, "30")
    job_id = export(files, head, "export_declarations", county)
    fetch(files, head, job_id)
    with files.database.work() as db:
        query = sa.text("SELECT action, reason FROM audit WHERE after ->> 'job_id' = :id ORDER BY at, id")
        acts = db.execute(query, {"id": job_id}).all()
    assert [act.action for act in acts] == ["request_export", "open_download", "redeem_download"]
    assert {act.reason for act in acts} == {REASON}
    at("2023-11-25T10:00:00+08:00")
    assert clock.now() - clock.parse_instant("2023-11-20T10:00:00+08:00") > FILE_LIFETIME
    with pytest.raises(Conflict, match=r"shared\.file_expired"):
        files.call("open_download", {"job_id": job_id}, head)
    upkeep.keep_house(files.database, files.service.files, clock.now())
    with files.database.work() as db:
        assert db.scalar(sa.text("SELECT file FROM bulk_job WHERE job_id = :id"), {"id": job_id}) is None
