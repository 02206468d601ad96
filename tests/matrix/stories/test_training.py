"""Stories of special training: from the draft of a project to the hours that its institution enters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.shared.actor import Role
from tests.conftest import person
from tests.matrix.telling import story
from tests.matrix.world import COUNTY, Spot, World, project_of, teacher

BEGINS_AT = "2026-02-10T10:00:00+08:00"


@story(
    "learning.list_suitable_projects",
    "learning.apply_for_training",
    "learning.take_back_training_application",
    "learning.pass_training_application",
    "learning.add_class_sessions",
    "learning.get_check_in_code",
    "learning.check_in",
    "learning.grade_trainings",
    "learning.list_own_trainings",
)
def test_a_teacher_applies_is_reviewed_three_times_checks_in_and_passes(
    world: World, here: Spot, at: Callable[[str], None]
) -> None:
    her, institution = teacher(here.people["verified"]), person(None, (Role.TRAINING_INSTITUTION, here.place))
    dates = {
        "starts_on": "2026-03-01",
        "ends_on": "2026-12-30",
        "applies_from": "2026-02-01T00:00:00+08:00",
        "applies_until": "2026-03-01T00:00:00+08:00",
    }
    planned = {"place": here.place, **project_of(here), **dates}
    project = world.call("catalog", "create_training_project", planned, institution)
    about = {"project_id": project["project_id"]}
    world.call("catalog", "publish_training_project", {**about, "version": 1}, institution)
    world.deliver_all()
    [shown] = world.call("learning", "list_suitable_projects", {}, her)["items"]
    assert (shown["project"]["project_id"], shown["refusal"]) == (project["project_id"], "")
    application = {"application_id": world.call("learning", "apply_for_training", about, her)["application_id"]}
    world.call("learning", "take_back_training_application", application, her)
    world.call("learning", "apply_for_training", about, her)
    reviewers = {
        "SCHOOL_REVIEW": person(None, (Role.PRINCIPAL, here.place)),
        "DISTRICT_REVIEW": person(None, (Role.DISTRICT_INSTITUTION, COUNTY)),
        "INSTITUTION_REVIEW": institution,
    }
    for stage, reviewer in reviewers.items():
        passed = world.call("learning", "pass_training_application", {**application, "stage": stage}, reviewer)
    assert passed["state"] == "ADMITTED"
    lesson = {"title": "第一讲", "starts_at": "2026-03-01T09:00:00+08:00", "ends_at": "2026-03-01T12:00:00+08:00"}
    made = world.call("learning", "add_class_sessions", {**about, "sessions": [lesson]}, institution)
    session: dict[str, Any] = {"session_id": made["sessions"][0]["session_id"]}
    at("2026-03-01T09:05:00+08:00")
    code = world.call("learning", "get_check_in_code", session, institution)["code"]
    assert world.call("learning", "check_in", {**session, "code": code}, her)["checked_in"]
    at("2026-12-30T18:00:00+08:00")
    result = {"results": [{**application, "passed": True}]}
    [row] = world.call("learning", "grade_trainings", result, institution)["rows"]
    assert row["outcome"] == "CHANGED"
    [training] = world.call("learning", "list_own_trainings", {"bucket": "OVER"}, her)["items"]
    assert training["state"] == "PASSED"
    world.deliver_all()
    ledger = world.call("credits", "list_ledger", {"limit": 10}, her)["items"]
    assert [(each["source_kind"], each["amount"], each["year"]) for each in ledger] == [("SPECIAL", "24.00", 2026)]
