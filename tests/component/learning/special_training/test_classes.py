"""Classes of special training: notice, timetable, check-in by a changing code, results and the end of their year."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import Any

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from tests.component.learning.special_training.conftest import CITY, LAST_DAY, TRAINING, Campus, unknown
from tests.conftest import person

SPOT = {"latitude": 23.13, "longitude": 113.26, "radius_metres": 300}
OTHER_COLLEGE = person(None, (Role.TRAINING_INSTITUTION, f"{CITY}/other-college"))


def detail(campus: Campus, application: dict[str, Any], actor: Any) -> dict[str, Any]:
    shown: dict[str, Any] = campus.call("get_training", {"application_id": application["application_id"]}, actor)
    return shown


# --- the class ------------------------------------------------------------------------------------------------------------


def test_notice_and_timetable_are_for_the_class(campus: Campus) -> None:
    inside, outside, project = campus.teacher(), campus.teacher(), campus.project()
    admitted, waiting = campus.admitted(inside, project), campus.apply(outside, project)
    notice = {"project_id": project["project_id"], "title": "开班通知", "text": "请携带笔记本电脑。"}
    campus.call("publish_class_notice", notice, campus.institution)
    second = campus.session(
        project, title="第二讲", starts_at="2023-03-06T09:00:00+08:00", ends_at="2023-03-06T12:00:00+08:00"
    )
    first = campus.session(project)
    shown = detail(campus, admitted, inside)
    assert (shown["notice"]["title"], shown["notice"]["text"]) == ("开班通知", "请携带笔记本电脑。")
    assert [each["session_id"] for each in shown["sessions"]] == [first["session_id"], second["session_id"]]
    assert not any("secret" in each or "latitude" in each for each in shown["sessions"])
    assert (detail(campus, waiting, outside)["notice"], detail(campus, waiting, outside)["sessions"]) == (None, [])
    campus.call("publish_class_notice", {**notice, "title": "开班通知（更正）"}, campus.institution)
    assert detail(campus, admitted, inside)["notice"]["title"] == "开班通知（更正）"


def test_the_class_is_its_institutions(campus: Campus) -> None:
    project = campus.project()
    session = campus.session(project)
    about_project, about_session = {"project_id": project["project_id"]}, {"session_id": session["session_id"]}
    acts: list[tuple[str, dict[str, Any]]] = [
        ("get_training_class", about_project),
        ("publish_class_notice", {**about_project, "title": "通知", "text": "通知"}),
        (
            "add_class_sessions",
            {**about_project, "sessions": [{"title": "课", "starts_at": TRAINING, "ends_at": LAST_DAY}]},
        ),
        ("remove_class_session", about_session),
        ("get_check_in_code", about_session),
        ("check_in_by_hand", {**about_session, "application_ids": [unknown()], "reason": "没有手机"}),
    ]
    for method, arguments in acts:
        with pytest.raises(NotFound):
            campus.call(method, arguments, OTHER_COLLEGE)
        with pytest.raises(NotAllowed):
            campus.call(method, arguments, person(None, (Role.CITY_CENTRE, CITY)))
        missing = {key: unknown() for key in arguments if key in ("project_id", "session_id")}
        with pytest.raises(NotFound):
            campus.call(method, {**arguments, **missing}, campus.institution)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"starts_at": "2023-02-28T09:00:00+08:00"}, "learning.session_outside_training", "sessions.0.starts_at"),
        ({"ends_at": "2023-12-31T00:00:01+08:00"}, "learning.session_outside_training", "sessions.0.starts_at"),
        ({"ends_at": "2023-03-05T09:00:00+08:00"}, "learning.session_outside_training", "sessions.0.starts_at"),
        ({"latitude": 23.1}, "shared.invalid", "sessions.0.radius_metres"),
        ({**SPOT, "latitude": 91}, "shared.invalid", "sessions.0.latitude"),
        ({**SPOT, "radius_metres": 10}, "shared.invalid", "sessions.0.radius_metres"),
        ({"title": " "}, "shared.invalid", "sessions.0.title"),
    ],
)
def test_sessions_that_make_no_sense_are_refused(campus: Campus, changes: Any, code: str, field: str) -> None:
    project = campus.project()
    with pytest.raises(InvalidInput) as refused:
        campus.session(project, **changes)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_session_at_which_somebody_was_stays_on_the_timetable(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    campus.admitted(teacher, project)
    used, unused = campus.session(project), campus.session(project, title="第二讲")
    campus.at(TRAINING)
    campus.check_in(teacher, used)
    with pytest.raises(Conflict, match=r"learning\.class_session_attended"):
        campus.call("remove_class_session", {"session_id": used["session_id"]}, campus.institution)
    left = campus.call("remove_class_session", {"session_id": unused["session_id"]}, campus.institution)
    assert [(each["session_id"], each["checked_in"]) for each in left["sessions"]] == [(used["session_id"], 1)]


def test_after_the_last_day_the_class_stays_as_it_is(campus: Campus) -> None:
    project = campus.project()
    session = campus.session(project)
    campus.at("2023-12-31T00:00:00+08:00")
    with pytest.raises(Conflict, match=r"learning\.class_over"):
        campus.session(project, title="补课")
    with pytest.raises(Conflict, match=r"learning\.class_over"):
        campus.call("remove_class_session", {"session_id": session["session_id"]}, campus.institution)


def test_a_timetable_has_an_end(campus: Campus) -> None:
    project = campus.project()
    wanted = [{"title": f"第{number}讲", "starts_at": TRAINING, "ends_at": LAST_DAY} for number in range(100)]
    campus.call("add_class_sessions", {"project_id": project["project_id"], "sessions": wanted}, campus.institution)
    with pytest.raises(Conflict, match=r"learning\.timetable_full"):
        campus.session(project)


# --- check-in -------------------------------------------------------------------------------------------------------------


def test_who_checks_in_attends(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.admitted(teacher, project)
    session, second = campus.session(project), campus.session(project, title="第二讲")
    campus.at(TRAINING)
    for _ in range(2):
        assert campus.check_in(teacher, session) == {
            "session_id": session["session_id"],
            "checked_in": True,
            "refusal": "",
        }
    assert campus.state(application) == "ATTENDING"
    campus.check_in(teacher, second)
    shown = detail(campus, application, teacher)
    assert [step["state"] for step in shown["steps"]][-1] == "ATTENDING"
    assert {each["checked_in_at"] for each in shown["sessions"]} == {"2023-03-05T02:00:00.000000Z"}


def test_a_code_of_two_minutes_ago_is_wrong_and_five_wrong_ones_lock(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.admitted(teacher, project)
    session = campus.session(project)
    campus.at(TRAINING)
    old = campus.code(session)
    campus.at("2023-03-05T10:01:59+08:00")
    assert campus.check_in(teacher, session, old)["checked_in"] is True
    other = campus.teacher()
    campus.at("2023-02-11T10:00:00+08:00")
    campus.admitted(other, project)
    campus.at("2023-03-05T10:02:00+08:00")
    for _ in range(5):
        told = campus.check_in(other, session, old)
        assert (told["checked_in"], told["refusal"]) == (False, "learning.check_in_code_wrong")
    with pytest.raises(LimitReached, match=r"learning\.check_in_locked"):
        campus.check_in(other, session)
    assert campus.state(application) == "ATTENDING"


@pytest.mark.parametrize("instant", ["2023-03-05T08:29:59+08:00", "2023-03-05T12:00:00+08:00"])
def test_check_in_has_its_time(campus: Campus, instant: str) -> None:
    teacher, project = campus.teacher(), campus.project()
    campus.admitted(teacher, project)
    session = campus.session(project)
    campus.at(instant)
    with pytest.raises(Conflict, match=r"learning\.check_in_closed"):
        campus.check_in(teacher, session)


def test_where_the_session_names_a_place_one_must_be_near_it(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    campus.admitted(teacher, project)
    session = campus.session(project, **SPOT)
    assert session["radius_metres"] == 300
    campus.at(TRAINING)
    assert campus.check_in(teacher, session)["refusal"] == "learning.check_in_place_missing"
    assert (
        campus.check_in(teacher, session, latitude=23.2, longitude=113.26)["refusal"] == "learning.check_in_elsewhere"
    )
    with pytest.raises(InvalidInput):
        campus.check_in(teacher, session, latitude=23.131)
    assert campus.check_in(teacher, session, latitude=23.131, longitude=113.26)["checked_in"]
    kept = "SELECT count(*) FROM attendance WHERE session_id = :id AND to_jsonb(attendance)::text LIKE '%23.13%'"
    assert campus.count(kept, id=session["session_id"]) == 0


def test_only_who_is_in_the_class_checks_in(campus: Campus) -> None:
    project = campus.project()
    session = campus.session(project)
    waiting, stranger = campus.teacher(), campus.teacher()
    campus.apply(waiting, project)
    campus.at(TRAINING)
    with pytest.raises(Conflict, match=r"learning\.not_admitted"):
        campus.check_in(waiting, session)
    with pytest.raises(NotFound, match=r"learning\.class_session_unknown"):
        campus.check_in(stranger, session)
    with pytest.raises(NotFound, match=r"learning\.class_session_unknown"):
        campus.check_in(stranger, {"session_id": unknown()}, "000000")


def test_eight_presses_at_once_are_one_attendance(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.admitted(teacher, project)
    session = campus.session(project)
    campus.at(TRAINING)
    code = campus.code(session)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: campus.check_in(teacher, session, code)["checked_in"], range(8)))
    assert answers == [True] * 8
    told = campus.told("learning.training_changed", application_id=application["application_id"], state="ATTENDING")
    assert len(told) == 1


def test_the_institution_registers_who_has_no_telephone(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application, session = campus.admitted(teacher, project), campus.session(project)
    wanted = {
        "session_id": session["session_id"],
        "application_ids": [application["application_id"]],
        "reason": "没有带手机",
    }
    with pytest.raises(Conflict, match=r"learning\.check_in_closed"):
        campus.call("check_in_by_hand", wanted, campus.institution)
    campus.at("2023-03-05T18:00:00+08:00")
    assert campus.call("check_in_by_hand", wanted, campus.institution)["registered"] == 1
    assert campus.call("check_in_by_hand", wanted, campus.institution)["registered"] == 0
    assert campus.state(application) == "ATTENDING"
    assert [row.reason for row in campus.audited(teacher)][-1] == "没有带手机"
    with pytest.raises(NotFound, match=r"learning\.application_unknown"):
        campus.call("check_in_by_hand", {**wanted, "application_ids": [unknown()]}, campus.institution)
    himself = dataclasses.replace(teacher, grants=campus.institution.grants)
    with pytest.raises(NotAllowed, match=r"learning\.own_application"):
        campus.call("check_in_by_hand", wanted, himself)


def test_who_was_there_is_registered_until_the_year_ends(campus: Campus) -> None:
    project = campus.project()
    forgotten, too_late = (campus.admitted(campus.teacher(), project) for _ in range(2))
    session = campus.session(project)

    def register(application: dict[str, Any]) -> int:
        there = {"application_ids": [application["application_id"]], "reason": "漏签"}
        registered: int = campus.call(
            "check_in_by_hand", {"session_id": session["session_id"], **there}, campus.institution
        )["registered"]
        return registered

    campus.at("2023-12-31T23:59:59+08:00")
    assert register(forgotten) == 1
    assert campus.grade(forgotten) == "CHANGED"
    campus.at("2024-01-01T00:00:00+08:00")
    with pytest.raises(Conflict, match=r"learning\.training_year_over"):
        register(too_late)


# --- results ---------------------------------------------------------------------------------------------------------------


def test_hours_entered_on_30_december_count_in_that_year(campus: Campus) -> None:
    """W32: the institution enters 24 hours on 30 December."""
    teacher, project = campus.teacher(), campus.project()
    application = campus.attending(teacher, project)
    campus.at("2023-12-30T10:00:00+08:00")
    assert campus.grade(application) == "CHANGED"
    [told] = campus.told("learning.training_graded", application_id=application["application_id"])
    assert told == {
        "application_id": application["application_id"],
        "version": 1,
        "teacher_id": str(teacher.account_id),
        "project_id": project["project_id"],
        "title": "骨干教师专项培训",
        "passed": True,
        "amount": "24.00",
        "unit": "HOUR",
        "hour_type": "PROFESSIONAL",
        "course_type": "FACE_TO_FACE",
        "year": 2023,
        "place": CITY,
        "graded_on": "2023-12-30",
    }
    assert detail(campus, application, teacher)["state"] == "PASSED"


def test_on_2_january_the_old_year_is_closed(campus: Campus) -> None:
    """W32: refused; what is left is the declaration."""
    application = campus.attending(campus.teacher(), campus.project())
    campus.at("2024-01-02T10:00:00+08:00")
    assert campus.grade(application) == "learning.training_year_over"
    assert campus.told("learning.training_graded", application_id=application["application_id"]) == []


def test_a_result_is_turned_over_with_a_reason_and_told_again(campus: Campus) -> None:
    application = campus.attending(campus.teacher(), campus.project())
    campus.at(LAST_DAY)
    assert campus.grade(application) == "CHANGED"
    assert campus.grade(application) == "UNCHANGED"
    assert campus.grade(application, passed=False) == "learning.grade_reason_missing"
    assert campus.grade(application, passed=False, reason="登记有误") == "CHANGED"
    told = campus.told("learning.training_graded", application_id=application["application_id"])
    assert [(each["version"], each["passed"]) for each in told] == [(1, True), (2, False)]
    assert campus.state(application) == "FAILED"


def test_each_row_is_decided_by_itself(campus: Campus) -> None:
    project = campus.project()
    present, absent, waiting = campus.teacher(), campus.teacher(), campus.teacher()
    good, never, early = (
        campus.attending(present, project),
        campus.admitted(absent, project),
        campus.apply(waiting, project),
    )
    assert campus.grade(good) == "learning.training_not_over"
    campus.at(LAST_DAY)
    rows = [{"application_id": each["application_id"], "passed": True} for each in (never, good, early)]
    rows.append({"application_id": unknown(), "passed": True})
    done = campus.call("grade_trainings", {"results": rows}, campus.institution)["rows"]
    assert [row["code"] or row["outcome"] for row in done] == [
        "learning.never_checked_in", "CHANGED", "learning.not_admitted", "learning.application_unknown",
    ]  # fmt: skip
    assert campus.grade(never, passed=False) == "CHANGED"


def test_results_are_entered_by_the_institution_that_holds_the_project(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.attending(teacher, project)
    campus.at(LAST_DAY)
    with pytest.raises(NotFound, match=r"learning\.application_unknown"):
        campus.grade(application, actor=OTHER_COLLEGE)
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        campus.grade(application, actor=campus.district)
    himself = dataclasses.replace(teacher, grants=campus.institution.grants)
    assert campus.grade(application, actor=himself) == "learning.own_application"


def test_whoever_left_her_school_is_graded_all_the_same(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.attending(teacher, project)
    campus.teacher("", actor=teacher, version=2, state="RELEASED")
    campus.at(LAST_DAY)
    assert campus.grade(application) == "CHANGED"
