"""Special training 专项培训: projects, applications and their reviews, classes, check-in, results."""

from __future__ import annotations

import uuid
from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import ask_page, open_cursor, seal_cursor
from gateway.people import with_people
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import special_training as schemas

blueprint = Blueprint("special_training", __name__, description="专项培训 (special training by application)")


# --- projects -------------------------------------------------------------------------------------------------------------


@blueprint.get("/training-projects")
@blueprint.doc(operationId="list_training_projects", security=[])
@blueprint.arguments(schemas.ProjectsQuery, location="query")
@blueprint.response(200, schemas.Projects)
def list_training_projects(query: dict[str, Any]) -> dict[str, Any]:
    """Projects published for the teachers of a place, until they end; the newest first."""
    reply = ask_page("catalog", "list_training_projects", query)
    caching.allow(0, public=True)
    return reply


@blueprint.get("/training-projects/<uuid:project_id>")
@blueprint.doc(operationId="get_training_project", security=[])
@blueprint.response(200, schemas.Project)
def get_training_project(project_id: uuid.UUID) -> dict[str, Any]:
    """One project, also when it is over or withdrawn."""
    reply = ask("catalog", "get_training_project", {"project_id": str(project_id)})
    caching.allow(0, public=True)
    return reply


@blueprint.get("/kept-training-projects")
@blueprint.doc(operationId="list_kept_training_projects")
@blueprint.arguments(schemas.KeptProjectsQuery, location="query")
@blueprint.response(200, schemas.Projects)
def list_kept_training_projects(query: dict[str, Any]) -> dict[str, Any]:
    """The projects of the own place and below it, drafts and past ones among them."""
    return ask_page("catalog", "list_kept_training_projects", query)


@blueprint.get("/kept-training-projects/<uuid:project_id>")
@blueprint.doc(operationId="get_kept_training_project")
@blueprint.response(200, schemas.Project)
def get_kept_training_project(project_id: uuid.UUID) -> dict[str, Any]:
    """One of them."""
    return ask("catalog", "get_kept_training_project", {"project_id": str(project_id)})


@blueprint.post("/training-projects")
@blueprint.doc(operationId="create_training_project")
@blueprint.arguments(schemas.NewProject)
@blueprint.response(201, schemas.Project)
def create_training_project(body: dict[str, Any]) -> dict[str, Any]:
    """A draft of the own city, district or institution, which nobody else sees."""
    return tell("catalog", "create_training_project", schemas.NewProject().dump(body))


@blueprint.put("/training-projects/<uuid:project_id>")
@blueprint.doc(operationId="change_training_project")
@blueprint.arguments(schemas.ProjectChange)
@blueprint.response(200, schemas.Project)
def change_training_project(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """Replace what the project says. Once teachers apply, what they applied for stays."""
    return tell(
        "catalog",
        "change_training_project",
        {"project_id": str(project_id), **schemas.ProjectChange().dump(body)},
    )


@blueprint.post("/training-projects/<uuid:project_id>/publication")
@blueprint.doc(operationId="publish_training_project")
@blueprint.arguments(schemas.Publication)
@blueprint.response(200, schemas.Project)
def publish_training_project(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """Show the project to its teachers."""
    return tell("catalog", "publish_training_project", {"project_id": str(project_id), **body})


@blueprint.post("/training-projects/<uuid:project_id>/withdrawal")
@blueprint.doc(operationId="withdraw_training_project")
@blueprint.arguments(schemas.ProjectWithdrawal)
@blueprint.response(200, schemas.Project)
def withdraw_training_project(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """Call the project off: applications and places in its class are void, results stay."""
    return tell("catalog", "withdraw_training_project", {"project_id": str(project_id), **body})


# --- the teacher's --------------------------------------------------------------------------------------------------------


@blueprint.get("/suitable-training-projects")
@blueprint.doc(operationId="list_suitable_projects")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.SuitableProjects)
def list_suitable_projects(query: dict[str, Any]) -> dict[str, Any]:
    """推荐适度项目: what you can apply for, now or soon, with your application for it."""
    return ask_page("learning", "list_suitable_projects", query)


@blueprint.post("/training-projects/<uuid:project_id>/applications")
@blueprint.doc(operationId="apply_for_training")
@blueprint.arguments(schemas.NewApplication)
@blueprint.response(201, schemas.Application)
def apply_for_training(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """Apply, inside the time for it. Who took an application back may apply again."""
    return tell("learning", "apply_for_training", {"project_id": str(project_id), **body})


@blueprint.get("/own-trainings")
@blueprint.doc(operationId="list_own_trainings")
@blueprint.arguments(schemas.OwnTrainingsQuery, location="query")
@blueprint.response(200, schemas.OwnTrainings)
def list_own_trainings(query: dict[str, Any]) -> dict[str, Any]:
    """我的专项培训: 进行中, 未开始, 已结束, 审核中, 未通过, with how many there are of each."""
    asked = schemas.OwnTrainingsQuery().dump(query)
    reply = ask("learning", "list_own_trainings", {**asked, "cursor": open_cursor(query.get("cursor"))})
    return {**reply, "next_cursor": seal_cursor(reply["next_cursor"])}


@blueprint.get("/training-applications/<uuid:application_id>")
@blueprint.doc(operationId="get_training")
@blueprint.response(200, schemas.TrainingDetail)
def get_training(application_id: uuid.UUID) -> dict[str, Any]:
    """One application with its steps; from its admission on with the class's notice 开班通知 and timetable 课程安排."""
    return ask("learning", "get_training", {"application_id": str(application_id)})


@blueprint.post("/training-applications/<uuid:application_id>/withdrawal")
@blueprint.doc(operationId="take_back_training_application")
@blueprint.response(200, schemas.Application)
def take_back_training_application(application_id: uuid.UUID) -> dict[str, Any]:
    """Take your application back while it is under review."""
    return tell("learning", "take_back_training_application", {"application_id": str(application_id)})


@blueprint.post("/class-sessions/<uuid:session_id>/check-ins")
@blueprint.doc(operationId="check_in")
@blueprint.arguments(schemas.CheckIn)
@blueprint.response(200, schemas.CheckedIn)
def check_in(body: dict[str, Any], session_id: uuid.UUID) -> dict[str, Any]:
    """签到 by the code on the wall, and by where you are if the session asks; your position is not kept."""
    return tell("learning", "check_in", {"session_id": str(session_id), **body})


# --- reviews --------------------------------------------------------------------------------------------------------------


@blueprint.get("/training-applications")
@blueprint.doc(operationId="list_training_applications")
@blueprint.arguments(schemas.ApplicationsQuery, location="query")
@blueprint.response(200, schemas.Trainings)
def list_training_applications(query: dict[str, Any]) -> dict[str, Any]:
    """Applications of the teachers of a place: for its principal, and for the district."""
    reply = ask_page("learning", "list_training_applications", schemas.ApplicationsQuery().dump(query))
    return {**reply, "items": with_people(reply["items"])}


@blueprint.get("/training-projects/<uuid:project_id>/applications")
@blueprint.doc(operationId="list_project_applications")
@blueprint.arguments(schemas.ProjectApplicationsQuery, location="query")
@blueprint.response(200, schemas.Trainings)
def list_project_applications(query: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """Applications for a project, and its class: for the institution that holds it."""
    reply = ask_page("learning", "list_project_applications", {"project_id": str(project_id), **query})
    return {**reply, "items": with_people(reply["items"])}


@blueprint.post("/training-applications/<uuid:application_id>/approval")
@blueprint.doc(operationId="pass_training_application")
@blueprint.arguments(schemas.Approval)
@blueprint.response(200, schemas.Application)
def pass_training_application(body: dict[str, Any], application_id: uuid.UUID) -> dict[str, Any]:
    """Pass an application on to the next review; the institution's pass admits, while there are places."""
    return tell("learning", "pass_training_application", {"application_id": str(application_id), **body})


@blueprint.post("/training-applications/<uuid:application_id>/rejection")
@blueprint.doc(operationId="reject_training_application")
@blueprint.arguments(schemas.Rejection)
@blueprint.response(200, schemas.Application)
def reject_training_application(body: dict[str, Any], application_id: uuid.UUID) -> dict[str, Any]:
    """Reject an application, with the reason."""
    return tell("learning", "reject_training_application", {"application_id": str(application_id), **body})


# --- the class ------------------------------------------------------------------------------------------------------------


@blueprint.get("/training-projects/<uuid:project_id>/class")
@blueprint.doc(operationId="get_training_class")
@blueprint.response(200, schemas.TrainingClass)
def get_training_class(project_id: uuid.UUID) -> dict[str, Any]:
    """The class of a project as its institution sees it."""
    return ask("learning", "get_training_class", {"project_id": str(project_id)})


@blueprint.put("/training-projects/<uuid:project_id>/class/notice")
@blueprint.doc(operationId="publish_class_notice")
@blueprint.arguments(schemas.NewNotice)
@blueprint.response(200, schemas.TrainingClass)
def publish_class_notice(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """开班通知; a later one takes the place of the earlier."""
    return tell("learning", "publish_class_notice", {"project_id": str(project_id), **body})


@blueprint.post("/training-projects/<uuid:project_id>/class/sessions")
@blueprint.doc(operationId="add_class_sessions")
@blueprint.arguments(schemas.NewSessions)
@blueprint.response(201, schemas.TrainingClass)
def add_class_sessions(body: dict[str, Any], project_id: uuid.UUID) -> dict[str, Any]:
    """课程安排: put sessions on the timetable, all of them or none."""
    return tell("learning", "add_class_sessions", {"project_id": str(project_id), **schemas.NewSessions().dump(body)})


@blueprint.delete("/class-sessions/<uuid:session_id>")
@blueprint.doc(operationId="remove_class_session")
@blueprint.response(200, schemas.TrainingClass)
def remove_class_session(session_id: uuid.UUID) -> dict[str, Any]:
    """Take a session off the timetable at which nobody has checked in."""
    return tell("learning", "remove_class_session", {"session_id": str(session_id)})


@blueprint.get("/class-sessions/<uuid:session_id>/check-in-code")
@blueprint.doc(operationId="get_check_in_code")
@blueprint.response(200, schemas.CheckInCode)
def get_check_in_code(session_id: uuid.UUID) -> dict[str, Any]:
    """The code to show on the wall until it changes."""
    return ask("learning", "get_check_in_code", {"session_id": str(session_id)})


@blueprint.post("/class-sessions/<uuid:session_id>/attendances")
@blueprint.doc(operationId="check_in_by_hand")
@blueprint.arguments(schemas.ByHand)
@blueprint.response(200, schemas.CheckedInByHand)
def check_in_by_hand(body: dict[str, Any], session_id: uuid.UUID) -> dict[str, Any]:
    """The institution registers who was there."""
    return tell("learning", "check_in_by_hand", {"session_id": str(session_id), **schemas.ByHand().dump(body)})


@blueprint.post("/training-results")
@blueprint.doc(operationId="grade_trainings")
@blueprint.arguments(schemas.NewResults)
@blueprint.response(200, schemas.ResultsDone)
def grade_trainings(body: dict[str, Any]) -> dict[str, Any]:
    """Enter results, and with a pass its hours, from the training's last day to the end of that year; each row by itself."""
    return tell("learning", "grade_trainings", schemas.NewResults().dump(body))
