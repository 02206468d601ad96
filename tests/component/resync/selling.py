"""What comes after the season in the installation: a period whose courses are chosen, billed, paid or owed and graded; special training; an exam."""

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


def train(installation: Installation, teacher: Actor) -> None:
    """A project of special training, from its draft to the hours that its institution enters for the one who came."""
    installation.clock.instant = clock.parse_instant("2023-03-22T10:00:00+08:00")
    college = installation.call(
        "org", "create_school", new_school("440100"), person(None, (Role.CITY_ADMIN, GUANGZHOU))
    )
    installation.deliver_all()
    project = {
        "place": GUANGZHOU,
        "title": "骨干教师专项培训",
        "level": "CITY",
        "course_type": "FACE_TO_FACE",
        "hour_type": "PROFESSIONAL",
        "amount": "24",
        "institution_unit_id": college["school_id"],
        "starts_on": "2023-04-01",
        "ends_on": "2023-04-02",
        "applies_from": "2023-03-20T00:00:00+08:00",
        "applies_until": "2023-03-30T00:00:00+08:00",
    }
    project_id = installation.call("catalog", "create_training_project", project, CENTRE)["project_id"]
    about = {"project_id": project_id}
    installation.call("catalog", "publish_training_project", {**about, "version": 1}, CENTRE)
    installation.deliver_all()
    application_id = installation.call("learning", "apply_for_training", about, teacher)["application_id"]
    [(place,)] = installation.sql("learning", f"SELECT place FROM placement WHERE teacher_id = '{teacher.account_id}'")
    institution = person(None, (Role.TRAINING_INSTITUTION, college["place"]))
    reviewers = {
        "SCHOOL_REVIEW": person(None, (Role.PRINCIPAL, place)),
        "DISTRICT_REVIEW": person(None, (Role.COUNTY_ADMIN, place.rpartition("/")[0])),
        "INSTITUTION_REVIEW": institution,
    }
    for stage, reviewer in reviewers.items():
        passed = {"application_id": application_id, "stage": stage}
        installation.call("learning", "pass_training_application", passed, reviewer)
    lesson = {"title": "第一讲", "starts_at": "2023-04-01T09:00:00+08:00", "ends_at": "2023-04-01T12:00:00+08:00"}
    made = installation.call("learning", "add_class_sessions", {**about, "sessions": [lesson]}, institution)
    session = {"session_id": made["sessions"][0]["session_id"]}
    installation.clock.instant = clock.parse_instant("2023-04-01T09:05:00+08:00")
    code = installation.call("learning", "get_check_in_code", session, institution)["code"]
    assert installation.call("learning", "check_in", {**session, "code": code}, teacher)["checked_in"]
    installation.clock.instant = clock.parse_instant("2023-04-02T18:00:00+08:00")
    result = {"results": [{"application_id": application_id, "passed": True}]}
    [row] = installation.call("learning", "grade_trainings", result, institution)["rows"]
    assert row["outcome"] == "CHANGED", row
    installation.deliver_all()
    [(amount, year)] = installation.sql("credits", "SELECT amount, year FROM ledger WHERE source_kind = 'SPECIAL'")
    assert (str(amount), year) == ("24.00", 2023)


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
