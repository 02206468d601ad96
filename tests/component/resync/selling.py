"""What comes after the season in the installation: a period whose courses are chosen, billed, paid or owed and graded; an exam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.catalog import season_file
from services.shared import clock
from services.shared.actor import Actor, Role
from tests.component.org.conftest import GUANGZHOU, new_school
from tests.conftest import person

if TYPE_CHECKING:
    from tests.component.resync.conftest import Installation

CENTRE = person(None, (Role.CITY_CENTRE, GUANGZHOU))
PLANNED, DURING, AFTER, OVERDUE = (
    clock.parse_instant(text)
    for text in (
        "2023-03-02T10:00:00+08:00",
        "2023-03-05T10:00:00+08:00",
        "2023-03-10T00:00:00+08:00",
        "2023-03-21T00:00:00+08:00",
    )
)


def sell_courses(installation: Installation, payer: Actor, debtor: Actor) -> None:
    """One teacher pays and passes, one pays nothing and becomes a special user."""
    installation.clock.instant = PLANNED
    period_id, offering_id = _plan(installation)
    let_time_pass(installation)
    installation.clock.instant = DURING
    let_time_pass(installation)
    for teacher in (payer, debtor):
        installation.call("learning", "choose_course", {"offering_id": offering_id}, teacher)
    installation.clock.instant = AFTER
    for _ in range(3):
        let_time_pass(installation)
    [(bill_id, amount)] = installation.sql("billing", "SELECT bill_id, amount FROM bill")
    choice_of = dict(installation.sql("learning", "SELECT teacher_id, choice_id FROM choice"))
    paid = str(choice_of[payer.account_id])
    money = {"amount": str(amount / 2), "receipt_no": "GZ-0001", "paid_on": "2023-03-10", "choice_ids": [paid]}
    installation.call("billing", "register_payment", {"bill_id": str(bill_id), **money}, CENTRE)
    installation.deliver_all()
    [(version,)] = installation.sql("catalog", "SELECT version FROM period")
    installation.call("catalog", "begin_teaching", {"period_id": period_id, "version": version}, CENTRE)
    installation.deliver_all()
    grade = {"grades": [{"choice_id": paid, "passed": True}]}
    [row] = installation.call("learning", "grade_choices", grade, CENTRE)["rows"]
    assert row["outcome"] != "REFUSED", row
    installation.clock.instant = OVERDUE
    let_time_pass(installation)
    owing = {"period_id": period_id, "teacher_ids": [str(debtor.account_id)]}
    installation.call("billing", "confirm_special_users", owing, CENTRE)
    installation.deliver_all()


def _plan(installation: Installation) -> tuple[str, str]:
    payee = installation.call("org", "create_school", new_school("440100"), person(None, (Role.CITY_ADMIN, GUANGZHOU)))
    installation.deliver_all()
    planned = {
        "place": GUANGZHOU,
        "code": "2023-1",
        "title": "2023年上半年",
        "year": 2023,
        "selects_from": "2023-03-05T00:00:00+08:00",
        "selects_until": "2023-03-10T00:00:00+08:00",
        "due_on": "2023-03-20",
    }
    period = installation.call("catalog", "plan_period", planned, CENTRE)
    course = {
        "place": GUANGZHOU,
        "course_no": "20230001",
        "title": "小学语文阅读教学",
        "hour_type": "PROFESSIONAL",
        "course_type": "FACE_TO_FACE",
        "hours": "18",
        "fee": "100",
        "material_fee": "0",
        "applicant_unit_id": payee["school_id"],
        "charging_unit_id": payee["school_id"],
    }
    made = installation.call("catalog", "create_course", course, CENTRE)
    wanted = {"period_id": period["period_id"], "offerings": [{"course_id": made["course_id"]}]}
    [offering] = installation.call("catalog", "add_offerings", wanted, CENTRE)["items"]
    installation.call("catalog", "publish_period", {"period_id": period["period_id"], "version": 1}, CENTRE)
    return period["period_id"], offering["offering_id"]


def let_time_pass(installation: Installation) -> None:
    """What every service does by the clock."""
    now = installation.clock.instant
    installation.process["catalog"].service.move_due_periods(now)
    installation.deliver_all()
    installation.process["learning"].service.close_selection(now)
    installation.deliver_all()
    installation.process["billing"].service.make_bills(now)
    installation.process["billing"].service.mark_overdue(now)
    installation.deliver_all()


def sit_an_exam(installation: Installation, teacher: Actor) -> None:
    """A programme with an exam, which the teacher hands in empty."""
    installation.clock.instant = clock.parse_instant("2026-01-05T10:00:00+08:00")
    season = season_file.read_shipped_season("2026-putian-50h")
    for exam in season["exams"]:
        exam["after"] = []
    installation.call("catalog", "publish_programme", season)
    installation.deliver_all()
    [(exam_id, programme_id)] = installation.sql("learning", "SELECT exam_id, programme_id FROM exam")
    installation.call("learning", "enrol", {"programme_id": str(programme_id)}, teacher)
    started = {"exam_id": str(exam_id), "client_id": "device-one"}
    attempt = installation.call("learning", "start_exam_attempt", started, teacher)
    handed_in = {"attempt_id": attempt["attempt_id"], "fence": attempt["fence"]}
    installation.call("learning", "submit_exam_attempt", handed_in, teacher)
    installation.deliver_all()
