"""Group selection as jobs: an outcome for each row, failed rows again, and choices as a file."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from typing import Any

import openpyxl
import pytest

from services.learning.bulk.service import LearningBulkService
from services.shared import clock
from services.shared.actor import Actor
from services.shared.bulk import runner
from services.shared.bulk.files import SealedFile
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import OTHER_SCHOOL, SCHOOL, FakeBilling, Market, school_admin


class Neighbours(FakeBilling):
    """Billing, and identity as exports see it."""

    def __init__(self, billing: FakeBilling) -> None:
        self.__dict__ = billing.__dict__

    def call(self, service: str, method: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        if (service, method) == ("identity", "get_profile"):
            return {"name": "赵小红"}
        if (service, method) == ("identity", "disclose_people"):
            people = [
                {"account_id": each, "name": "=1+1", "learner_no": "G2023000123"} for each in arguments["account_ids"]
            ]
            return {"people": people}
        return super().call(service, method, arguments, **more)


@dataclasses.dataclass
class Office:
    """A school's administrator and the process that runs her jobs."""

    market: Market
    component: Any
    admin: Actor

    def submit(self, kind: str, rows: list[dict[str, str]]) -> str:
        job_id = self.component.call("submit_rows", {"kind": kind, "rows": rows, "at_once": True}, self.admin)["job_id"]
        self.run()
        return str(job_id)

    def run(self) -> None:
        while self.component.service.runner.run_next():
            pass

    def outcomes(self, job_id: str) -> list[tuple[str, str]]:
        page = self.component.call("list_job_rows", {"job_id": job_id, "limit": 200}, self.admin)
        return [(row["outcome"], row["code"]) for row in page["items"]]

    def state(self, job_id: str) -> str:
        return str(self.component.call("get_job", {"job_id": job_id}, self.admin)["state"])


@pytest.fixture
def office(market: Market, component: Any) -> Office:
    admin = school_admin()
    admin = dataclasses.replace(admin, elevated_until=clock.now() + dt.timedelta(days=3650))
    grants = {"account_id": str(admin.account_id), "version": 1, "grants": [["SCHOOL_ADMIN", SCHOOL]]}
    market.learning.deliver("on_grants_changed", "org.grants_changed", grants)
    return Office(market, component(LearningBulkService, bus=Neighbours(market.billing)), admin)


def row(teacher: Actor, offering: dict[str, Any]) -> dict[str, str]:
    return {"teacher_id": str(teacher.account_id), "offering_id": offering["offering_id"]}


def test_one_course_for_many_teachers_each_row_for_itself(office: Office) -> None:
    market = office.market
    offering = market.offering(market.period(), capacity=2)
    here = [market.teacher() for _ in range(3)]
    chosen = market.choose(here[0], offering)
    elsewhere = market.teacher(OTHER_SCHOOL)
    market.billing.held[str(here[1].account_id)] = ["SELECTION"]
    job_id = office.submit("choose_courses", [row(each, offering) for each in (*here, elsewhere, market.teacher())])
    assert office.outcomes(job_id) == [
        ("UNCHANGED", ""),
        ("REFUSED", "learning.special_user"),
        ("CREATED", ""),
        ("REFUSED", "learning.teacher_unknown"),
        ("REFUSED", "learning.offering_full"),
    ]
    # What was refused is tried again once things have changed: no more, and nothing twice.
    market.billing.held.clear()
    market.cancel(here[0], chosen)
    office.component.call("rerun_job", {"job_id": job_id}, office.admin)
    office.run()
    assert [outcome for outcome, _ in office.outcomes(job_id)] == [
        "UNCHANGED",
        "CREATED",
        "CREATED",
        "REFUSED",
        "REFUSED",
    ]
    assert market.taken(offering) == 2


def test_many_courses_for_one_teacher_by_number(office: Office) -> None:
    market, teacher = office.market, office.market.teacher()
    code = f"2023-{new_id().hex[-12:]}"
    period = market.period(code=code)
    first, second = market.offering(period, course_no="A1"), market.offering(period, course_no="A2", capability=True)
    number = {"account_id": str(teacher.account_id), "learner_no": f"G{new_id().hex[-12:]}", "version": 1}
    market.learning.deliver("on_learner_no_issued", "identity.learner_no_issued", number)
    named = {"learner_no": number["learner_no"], "period": code}
    rows = [{**named, "course_no": course_no} for course_no in ("A1", "A2", "A3")]
    job_id = office.submit("choose_courses", [*rows, {**rows[0], "learner_no": "G0000"}])
    assert office.outcomes(job_id) == [
        ("CREATED", ""),
        ("REFUSED", "learning.own_choice_only"),
        ("REFUSED", "learning.course_no_unknown"),
        ("REFUSED", "learning.teacher_unknown"),
    ]
    assert (market.taken(first), market.taken(second)) == (1, 0)
    told = market.count("SELECT count(*) FROM audit WHERE subject = :id", id=str(teacher.account_id))
    assert told == 1


def test_a_city_s_and_a_district_s_course_of_one_number_must_be_told_apart(office: Office) -> None:
    market, code = office.market, f"2023-{new_id().hex[-12:]}"
    for period in (
        market.period(code=code),
        market.period(code=code, tier="DISTRICT", place_id=SCHOOL.rpartition("/")[0]),
    ):
        market.offering(period, course_no="A1")
    rows = [{"teacher_id": str(market.teacher().account_id), "period": code, "course_no": "A1"}]
    assert office.outcomes(office.submit("choose_courses", rows)) == [("REFUSED", "learning.course_no_unknown")]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"offering_id": str(new_id())}, "shared.value_missing"),
        ({"teacher_id": "x", "offering_id": str(new_id())}, "shared.value_malformed"),
        ({"teacher_id": str(new_id()), "period": "2023-1"}, "shared.value_missing"),
        ({"teacher_id": str(new_id()), "offering_id": "x"}, "shared.value_malformed"),
    ],
)
def test_a_row_must_say_who_and_what(office: Office, cells: dict[str, str], code: str) -> None:
    assert office.outcomes(office.submit("choose_courses", [cells])) == [("REFUSED", code)]


def test_while_billing_does_not_answer_the_job_waits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "HELD_SECONDS", 0.0)
    market = office.market
    offering, teacher = market.offering(market.period()), market.teacher()
    market.billing.down = True
    wanted = {"kind": "choose_courses", "rows": [row(teacher, offering)], "at_once": True}
    job_id = office.component.call("submit_rows", wanted, office.admin)["job_id"]
    for _ in range(3):
        office.component.service.runner.run_next()
    assert (office.state(job_id), office.outcomes(job_id)) == ("RUNNING", [("PENDING", "")])
    market.billing.down = False
    office.run()
    assert (office.state(job_id), office.outcomes(job_id)) == ("DONE", [("CREATED", "")])


def test_choices_are_cancelled_together(office: Office) -> None:
    market = office.market
    offering, teacher = market.offering(market.period()), market.teacher()
    market.choose(teacher, offering)
    stranger = market.teacher(OTHER_SCHOOL)
    market.choose(stranger, offering)
    rows = [row(teacher, offering), row(market.teacher(), offering), row(stranger, offering)]
    assert office.outcomes(office.submit("cancel_choices", rows)) == [
        ("CHANGED", ""),
        ("REFUSED", "learning.choice_unknown"),
        ("REFUSED", "learning.choice_unknown"),
    ]
    assert market.taken(offering) == 1


def test_choices_leave_as_a_file_in_which_nothing_is_a_formula(office: Office) -> None:
    market, period = office.market, office.market.period()
    offering = market.offering(period)
    for _ in range(3):
        market.choose(market.teacher(), offering)
    market.choose(market.teacher(OTHER_SCHOOL), offering)
    wanted = {
        "kind": "export_choices",
        "place": SCHOOL,
        "reason": "缴费申报",
        "filters": {"period_id": period["period_id"]},
    }
    job_id = office.component.call("request_export", wanted, office.admin)["job_id"]
    office.run()
    token = office.component.call("open_download", {"job_id": job_id}, office.admin)["token"]
    redeemed = office.component.call("redeem_download", {"job_id": job_id, "token": token}, office.admin)
    data = b"".join(office.component.service.files.read(SealedFile.from_wire(redeemed["file"])))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    lines = [[str(cell or "") for cell in line] for line in sheet.iter_rows(values_only=True)]
    found = [line for line in lines if "C0001" in line]
    assert len(found) == 3
    assert {(line[1].startswith("="), line[9], line[10]) for line in found} == {(False, "120.00", "已选")}
