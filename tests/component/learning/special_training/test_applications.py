"""Applications for special training: the shelf, the three reviews, every refused transition, the teacher's lists."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import Any

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import EVERYBODY
from tests.component.learning.special_training.conftest import (
    CITY,
    COLLEGE,
    DISTRICT,
    FAR_SCHOOL,
    LAST_DAY,
    NEIGHBOUR,
    OTHER_SCHOOL,
    SCHOOL,
    STAGES,
    TRAINING,
    Campus,
    unknown,
)
from tests.conftest import person


def shelf(campus: Campus, teacher: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = campus.call("list_suitable_projects", {"limit": 200}, teacher)["items"]
    return items


# --- the shelf ------------------------------------------------------------------------------------------------------------


def test_the_shelf_holds_what_suits_the_teacher(campus: Campus) -> None:
    teacher = campus.teacher()
    suiting = [
        campus.project(audience={**EVERYBODY, **audience})
        for audience in (
            {},
            {"segments": ["PRIMARY"], "subjects": ["语文", "数学"]},
            {"place_ids": [DISTRICT]},
        )
    ]
    for audience in (
        {"segments": ["JUNIOR"]},
        {"subjects": ["数学"]},
        {"place_ids": [NEIGHBOUR]},
        {"school_ids": [unknown()]},
    ):
        campus.project(audience={**EVERYBODY, **audience})
    campus.project(shown_at="CN/440000/440300")
    campus.project(applies_until=campus.project()["applies_from"], title="报名已截止")
    campus.withdraw(campus.project(title="撤回"))
    known = {each["project"]["project_id"] for each in shelf(campus, teacher)}
    assert {project["project_id"] for project in suiting} <= known
    titles = {each["project"]["title"] for each in shelf(campus, teacher)}
    assert titles == {"骨干教师专项培训"}
    assert not known & {
        each["project"]["project_id"] for each in shelf(campus, campus.teacher("CN/440000/440300/440304/s9"))
    }


def test_the_shelf_tells_why_one_cannot_apply_now_and_what_one_applied_for(campus: Campus) -> None:
    # A city of its own: other tests' projects hang in the other one.
    city = f"CN/440000/{new_id().hex[-6:]}"
    teacher = campus.teacher(f"{city}/1/s")
    later = campus.project(shown_at=city, applies_from="2023-02-15T00:00:00.000000Z")
    now = campus.project(shown_at=city)
    assert {each["project"]["project_id"]: each["refusal"] for each in shelf(campus, teacher)} == {
        later["project_id"]: "learning.applications_not_open",
        now["project_id"]: "",
    }
    application = campus.apply(teacher, now)
    [line] = [each for each in shelf(campus, teacher) if each["project"]["project_id"] == now["project_id"]]
    assert (line["application_id"], line["application_state"]) == (application["application_id"], "SCHOOL_REVIEW")
    assert line["refusal"] == "learning.applied_already"


def test_the_shelf_pages_and_is_empty_without_a_school(campus: Campus) -> None:
    city = f"CN/440000/{new_id().hex[-6:]}"
    teacher = campus.teacher(f"{city}/1/s")
    made = [campus.project(shown_at=city)["project_id"] for _ in range(3)]
    first = campus.call("list_suitable_projects", {"limit": 2}, teacher)
    rest = campus.call("list_suitable_projects", {"limit": 2, "cursor": first["next_cursor"]}, teacher)
    seen = [each["project"]["project_id"] for page in (first, rest) for each in page["items"]]
    assert (seen, rest["next_cursor"]) == (made[::-1], None)
    assert shelf(campus, person()) == []
    assert shelf(campus, campus.teacher(state="REJECTED")) == []


# --- applying -------------------------------------------------------------------------------------------------------------


def test_an_application_goes_through_three_reviews_and_each_step_is_kept(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.apply(teacher, project, statement="希望提高信息化教学能力")
    assert application["state"] == "SCHOOL_REVIEW"
    assert campus.passes(application)["state"] == "ADMITTED"
    shown = campus.call("get_training", {"application_id": application["application_id"]}, teacher)
    assert [step["state"] for step in shown["steps"]] == [*STAGES, "ADMITTED"]
    assert [
        each["version"]
        for each in campus.told("learning.training_changed", application_id=application["application_id"])
    ] == [1, 2, 3, 4]
    audited = campus.audited(teacher)
    assert [row.action for row in audited] == ["pass_training_application"] * 3
    assert (audited[0].before["state"], audited[0].after["state"]) == ("SCHOOL_REVIEW", "DISTRICT_REVIEW")


@pytest.mark.parametrize("stage", STAGES)
def test_each_review_may_reject_with_a_reason_and_that_is_the_end(campus: Campus, stage: str) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.apply(teacher, project)
    campus.passes(application, *STAGES[: STAGES.index(stage)]) if stage != STAGES[0] else None
    assert campus.rejects(application, stage)["state"] == "REJECTED"
    shown = campus.call("get_training", {"application_id": application["application_id"]}, teacher)
    assert (shown["steps"][-1]["reason"], shown["bucket"]) == ("不符合参训条件", "REJECTED")
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.passes(application, stage)
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.call("take_back_training_application", {"application_id": application["application_id"]}, teacher)
    with pytest.raises(Conflict, match=r"learning\.applied_already"):
        campus.apply(teacher, project)


def test_a_rejection_needs_its_reason(campus: Campus) -> None:
    application = campus.apply(campus.teacher(), campus.project())
    with pytest.raises(InvalidInput) as refused:
        campus.call(
            "reject_training_application",
            {"application_id": application["application_id"], "stage": "SCHOOL_REVIEW", "reason": ""},
            campus.principal,
        )
    assert refused.value.field == "reason"


def test_what_was_taken_back_can_be_applied_for_again(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.apply(teacher, project)
    key = {"application_id": application["application_id"]}
    with pytest.raises(NotFound, match=r"learning\.application_unknown"):
        campus.call("take_back_training_application", key, campus.teacher())
    assert campus.call("take_back_training_application", key, teacher)["state"] == "TAKEN_BACK"
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.call("take_back_training_application", key, teacher)
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.passes(application, "SCHOOL_REVIEW")
    again = campus.apply(teacher, project)
    assert (again["application_id"], again["state"]) == (application["application_id"], "SCHOOL_REVIEW")
    steps = campus.call("get_training", key, teacher)["steps"]
    assert [step["state"] for step in steps] == ["SCHOOL_REVIEW", "TAKEN_BACK", "SCHOOL_REVIEW"]


def test_applications_are_taken_in_their_time_and_region_only(campus: Campus) -> None:
    project = campus.project(audience={**EVERYBODY, "subjects": ["数学"]})
    with pytest.raises(Conflict, match=r"learning\.not_for_you"):
        campus.apply(campus.teacher(), project)
    maths = campus.teacher(subject="数学")
    with pytest.raises(NotFound, match=r"learning\.project_unknown"):
        campus.apply(campus.teacher("CN/440000/440300/440304/s9", subject="数学"), {"project_id": unknown()})
    with pytest.raises(NotFound, match=r"learning\.project_unknown"):
        campus.apply(maths, {"project_id": unknown()})
    with pytest.raises(Conflict, match=r"learning\.application_needs_school"):
        campus.apply(person(), project)
    campus.at("2023-01-31T23:59:59+08:00")
    with pytest.raises(Conflict, match=r"learning\.applications_not_open"):
        campus.apply(maths, project)
    campus.at("2023-02-20T00:00:00+08:00")
    with pytest.raises(Conflict, match=r"learning\.applications_over"):
        campus.apply(maths, project)
    with pytest.raises(NotAllowed, match=r"learning\.teachers_only"):
        campus.apply(dataclasses.replace(maths, identity="GUARDIAN"), project)


def test_the_same_command_twice_is_one_application(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    wanted = {"project_id": project["project_id"]}
    first, second = (campus.learning.call("apply_for_training", wanted, teacher, "the-key") for _ in range(2))
    assert first == second
    assert campus.count("SELECT count(*) FROM training_step WHERE project_id = :id", id=project["project_id"]) == 1


def test_of_an_erased_person_the_statement_goes_and_the_application_stays(campus: Campus) -> None:
    teacher, project = campus.teacher(), campus.project()
    application = campus.apply(teacher, project, statement="本人从教十年")
    assert application["statement"] == "本人从教十年"
    campus.learning.deliver("on_person_erased", "identity.person_erased", {"account_id": str(teacher.account_id)})
    shown = campus.call("get_training", {"application_id": application["application_id"]}, campus.institution)
    assert (shown["statement"], shown["state"]) == ("", "SCHOOL_REVIEW")


# --- who reviews -----------------------------------------------------------------------------------------------------------


def test_each_stage_is_its_own_reviewers_and_nobody_elses(campus: Campus) -> None:
    application = campus.apply(campus.teacher(), campus.project())
    right = {
        "SCHOOL_REVIEW": [campus.principal],
        "DISTRICT_REVIEW": [campus.district, person(None, (Role.DISTRICT_INSTITUTION, DISTRICT))],
        "INSTITUTION_REVIEW": [campus.institution],
    }
    others = [
        person(None, (Role.PRINCIPAL, OTHER_SCHOOL)),
        person(None, (Role.COUNTY_ADMIN, NEIGHBOUR)),
        person(None, (Role.DISTRICT_INSTITUTION, NEIGHBOUR)),
        person(None, (Role.TRAINING_INSTITUTION, SCHOOL)),
        person(None, (Role.TRAINING_INSTITUTION, f"{CITY}/other-college")),
    ]
    everybody = [actor for actors in right.values() for actor in actors] + others
    for stage in STAGES:
        for actor in everybody:
            if actor in right[stage]:
                continue
            with pytest.raises(NotFound, match=r"learning\.application_unknown"):
                campus.passes(application, stage, actor=actor)
            with pytest.raises(NotFound, match=r"learning\.application_unknown"):
                campus.rejects(application, stage, actor)
        for role in (Role.SCHOOL_ADMIN, Role.CITY_ADMIN, Role.CITY_CENTRE):
            with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
                campus.passes(application, stage, actor=person(None, (role, CITY)))
        campus.passes(application, stage, actor=right[stage][-1])


def test_a_stage_is_passed_once_and_in_its_order(campus: Campus) -> None:
    application = campus.apply(campus.teacher(), campus.project())
    for ahead in ("DISTRICT_REVIEW", "INSTITUTION_REVIEW"):
        with pytest.raises(Conflict, match=r"learning\.application_state"):
            campus.passes(application, ahead)
    campus.passes(application, "SCHOOL_REVIEW")
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.passes(application, "SCHOOL_REVIEW")


def test_nobody_reviews_himself_so_a_principals_application_begins_at_the_district(campus: Campus) -> None:
    head = dataclasses.replace(campus.teacher(), grants=person(None, (Role.PRINCIPAL, SCHOOL)).grants)
    campus.grant(head, Role.PRINCIPAL, SCHOOL)
    application = campus.apply(head, campus.project())
    assert application["state"] == "DISTRICT_REVIEW"
    officer = dataclasses.replace(campus.teacher(OTHER_SCHOOL), grants=campus.district.grants)
    own = campus.passes(
        campus.apply(officer, campus.project()), "SCHOOL_REVIEW", actor=person(None, (Role.PRINCIPAL, OTHER_SCHOOL))
    )
    with pytest.raises(NotAllowed, match=r"learning\.own_application"):
        campus.passes(own, "DISTRICT_REVIEW", actor=officer)


def test_whoever_moved_is_reviewed_where_she_is_now(campus: Campus) -> None:
    teacher = campus.teacher()
    application = campus.apply(teacher, campus.project())
    campus.teacher(FAR_SCHOOL, actor=teacher, version=2)
    with pytest.raises(NotFound, match=r"learning\.application_unknown"):
        campus.passes(application, "SCHOOL_REVIEW")
    there = person(None, (Role.PRINCIPAL, FAR_SCHOOL))
    assert campus.passes(application, "SCHOOL_REVIEW", actor=there)["state"] == "DISTRICT_REVIEW"


def test_the_class_takes_no_more_than_its_places(campus: Campus) -> None:
    project = campus.project(capacity=2)
    applications = [campus.passes(campus.apply(campus.teacher(), project), *STAGES[:2]) for _ in range(6)]

    def admit(application: dict[str, Any]) -> str:
        try:
            return str(campus.passes(application, "INSTITUTION_REVIEW")["state"])
        except Conflict as refused:
            return refused.code

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(admit, applications))
    assert outcomes == ["ADMITTED"] * 2 + ["learning.class_full"] * 4
    held = campus.call("get_training_class", {"project_id": project["project_id"]}, campus.institution)
    assert (held["admitted"], held["capacity"]) == (2, 2)
    campus.project(**{**project, "version": 2, "capacity": 3})
    left = next(each for each in applications if campus.state(each) == "INSTITUTION_REVIEW")
    assert campus.passes(left, "INSTITUTION_REVIEW")["state"] == "ADMITTED"


def test_a_withdrawn_project_ends_what_is_not_graded(campus: Campus) -> None:
    project = campus.project()
    waiting = campus.apply(campus.teacher(), project)
    rejected = campus.rejects(campus.apply(campus.teacher(), project), "SCHOOL_REVIEW")
    admitted = campus.admitted(campus.teacher(), project)
    passed = campus.attending(campus.teacher(), project)
    campus.at(LAST_DAY)
    assert campus.grade(passed) == "CHANGED"
    campus.withdraw(project)
    assert [campus.state(each) for each in (waiting, rejected, admitted, passed)] == [
        "VOID",
        "REJECTED",
        "VOID",
        "PASSED",
    ]
    # Told again, or older news: nothing more happens.
    campus.project(**project)
    assert campus.state(waiting) == "VOID"
    with pytest.raises(Conflict, match=r"learning\.application_state"):
        campus.passes(waiting, "SCHOOL_REVIEW")
    with pytest.raises(Conflict, match=r"learning\.project_withdrawn"):
        campus.session(project)


# --- lists -----------------------------------------------------------------------------------------------------------------


def test_the_teachers_lists_by_state_with_their_counts(campus: Campus) -> None:
    teacher = campus.teacher()
    coming = campus.project(title="未开始的", starts_on="2023-05-01")
    campus.admitted(teacher, coming)
    campus.admitted(teacher, campus.project(title="进行中的"))
    campus.apply(teacher, campus.project(title="审核中的"))
    campus.rejects(campus.apply(teacher, campus.project(title="未通过的")), "SCHOOL_REVIEW")
    over = campus.project(title="已结束的", ends_on="2023-03-04")
    campus.admitted(teacher, over)
    back = campus.apply(teacher, campus.project(title="撤回的"))
    campus.call("take_back_training_application", {"application_id": back["application_id"]}, teacher)
    campus.at(TRAINING)

    def titles(**asked: Any) -> list[str]:
        page = campus.call("list_own_trainings", asked, teacher)
        assert page["counts"] == dict.fromkeys(("ONGOING", "NOT_BEGUN", "OVER", "UNDER_REVIEW", "REJECTED"), 1)
        return [each["project"]["title"] for each in page["items"]]

    assert titles(bucket="ONGOING") == ["进行中的"]
    assert titles(bucket="NOT_BEGUN") == ["未开始的"]
    assert titles(bucket="OVER") == ["已结束的"]
    assert titles(bucket="UNDER_REVIEW") == ["审核中的"]
    assert titles(bucket="REJECTED") == ["未通过的"]
    assert titles() == ["撤回的", "已结束的", "未通过的", "审核中的", "进行中的", "未开始的"]
    assert titles(search="中的") == ["审核中的", "进行中的"]
    assert titles(search="%") == []
    assert titles(held_until="2023-02-28") == []
    assert titles(held_from="2023-03-05", state="ADMITTED") == ["进行中的", "未开始的"]
    for bucket in ("ONGOING", "NOT_BEGUN", "OVER", "UNDER_REVIEW", "REJECTED"):
        items = campus.call("list_own_trainings", {"bucket": bucket}, teacher)["items"]
        assert [each["bucket"] for each in items] == [bucket]
    assert campus.call("list_own_trainings", {}, campus.teacher())["items"] == []


def test_reviewers_see_the_applications_of_their_own(campus: Campus) -> None:
    project = campus.project()
    near, far = campus.apply(campus.teacher(), project), campus.apply(campus.teacher(FAR_SCHOOL), project)

    def seen(actor: Any, place: str, **more: Any) -> set[str]:
        asked = {"place": place, "project_id": project["project_id"], **more}
        return {each["application_id"] for each in campus.call("list_training_applications", asked, actor)["items"]}

    assert seen(campus.principal, SCHOOL) == {near["application_id"]}
    assert seen(campus.district, DISTRICT, state="SCHOOL_REVIEW") == {near["application_id"]}
    assert seen(campus.district, DISTRICT, state="ADMITTED") == set()
    assert seen(person(None, (Role.DISTRICT_INSTITUTION, NEIGHBOUR)), NEIGHBOUR) == {far["application_id"]}
    with pytest.raises(NotFound):
        seen(campus.principal, OTHER_SCHOOL)
    with pytest.raises(NotFound):
        seen(campus.district, CITY)
    held = campus.call(
        "list_project_applications", {"project_id": project["project_id"], "limit": 1}, campus.institution
    )
    rest = campus.call(
        "list_project_applications",
        {"project_id": project["project_id"], "limit": 1, "cursor": held["next_cursor"]},
        campus.institution,
    )
    assert {each["application_id"] for page in (held, rest) for each in page["items"]} == {
        near["application_id"],
        far["application_id"],
    }
    number = f"4401{new_id().hex[-7:]}"
    numbered = {"account_id": near["teacher_id"], "learner_no": number}
    campus.learning.deliver("on_learner_no_issued", "identity.learner_no_issued", numbered)
    roster = campus.call("list_project_applications", {"project_id": project["project_id"]}, campus.institution)[
        "items"
    ]
    assert {each["teacher_id"]: each["learner_no"] for each in roster} == {
        near["teacher_id"]: number,
        far["teacher_id"]: "",
    }
    other = person(None, (Role.TRAINING_INSTITUTION, f"{CITY}/other-college"))
    with pytest.raises(NotFound, match=r"learning\.project_unknown"):
        campus.call("list_project_applications", {"project_id": project["project_id"]}, other)


def test_one_application_is_shown_to_the_teacher_and_her_reviewers(campus: Campus) -> None:
    teacher = campus.teacher()
    key = {"application_id": campus.apply(teacher, campus.project())["application_id"]}
    for actor in (teacher, campus.principal, campus.district, campus.institution):
        assert campus.call("get_training", key, actor)["application_id"] == key["application_id"]
    strangers = [
        campus.teacher(),
        person(None, (Role.PRINCIPAL, OTHER_SCHOOL)),
        person(None, (Role.COUNTY_ADMIN, NEIGHBOUR)),
        person(None, (Role.COUNTY_ADMIN, COLLEGE)),
        person(None, (Role.TRAINING_INSTITUTION, OTHER_SCHOOL)),
    ]
    for actor in strangers:
        with pytest.raises(NotFound, match=r"learning\.application_unknown"):
            campus.call("get_training", key, actor)
