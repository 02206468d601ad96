"""Selection 选课: the basket, one's own choices, a school's, and their statistics."""

from __future__ import annotations

import uuid
from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page, open_cursor, seal_cursor
from gateway.rpc import ask, tell
from gateway.schemas import selection as schemas

blueprint = Blueprint("selection", __name__, description="选课 (choosing courses of a period)")


# --- the basket ---


@blueprint.get("/basket")
@blueprint.doc(operationId="get_basket")
@blueprint.response(200, schemas.Basket)
def get_basket() -> dict[str, Any]:
    """What lies in your basket 我的课单, what it costs by charging unit, and how long the window is open."""
    return ask("learning", "get_basket")


@blueprint.put("/basket/<uuid:offering_id>")
@blueprint.doc(operationId="put_in_basket")
@blueprint.response(200, schemas.Basket)
def put_in_basket(offering_id: uuid.UUID) -> dict[str, Any]:
    """Put a course into your basket; it holds no seat."""
    return tell("learning", "put_in_basket", {"offering_id": str(offering_id)})


@blueprint.delete("/basket/<uuid:offering_id>")
@blueprint.doc(operationId="take_from_basket")
@blueprint.response(200, schemas.Basket)
def take_from_basket(offering_id: uuid.UUID) -> dict[str, Any]:
    """Take a course out of your basket."""
    return tell("learning", "take_from_basket", {"offering_id": str(offering_id)})


@blueprint.post("/basket/submission")
@blueprint.doc(operationId="submit_basket")
@blueprint.arguments(schemas.BasketSubmission)
@blueprint.response(200, schemas.SubmittedBasket)
def submit_basket(body: dict[str, Any]) -> dict[str, Any]:
    """Choose what lies in your basket. Each line is decided by itself; what is refused stays in the basket."""
    return tell("learning", "submit_basket", schemas.BasketSubmission().dump(body))


# --- choosing ---


@blueprint.post("/choices")
@blueprint.doc(operationId="choose_course")
@blueprint.arguments(schemas.NewChoice)
@blueprint.response(201, schemas.ChoiceMade)
def choose_course(body: dict[str, Any]) -> dict[str, Any]:
    """Choose a course of a period, while its window is open and there are seats."""
    return tell("learning", "choose_course", schemas.NewChoice().dump(body))


@blueprint.post("/teachers/<uuid:teacher_id>/choices")
@blueprint.doc(operationId="choose_course_for")
@blueprint.arguments(schemas.NewChoice)
@blueprint.response(201, schemas.ChoiceMade)
def choose_course_for(body: dict[str, Any], teacher_id: uuid.UUID) -> dict[str, Any]:
    """The school chooses for one of its teachers. Many at once are a job: `/jobs/learning`."""
    return tell("learning", "choose_course_for", {"teacher_id": str(teacher_id), **schemas.NewChoice().dump(body)})


@blueprint.post("/choices/<uuid:choice_id>/cancellation")
@blueprint.doc(operationId="cancel_choice")
@blueprint.response(200, schemas.ChoiceMade)
def cancel_choice(choice_id: uuid.UUID) -> dict[str, Any]:
    """Give the seat back, while the window is open: your own choice, or one of your school's teachers'."""
    return tell("learning", "cancel_choice", {"choice_id": str(choice_id)})


@blueprint.post("/choices/<uuid:choice_id>/voiding")
@blueprint.doc(operationId="void_choice")
@blueprint.arguments(schemas.Voiding)
@blueprint.response(200, schemas.ChoiceMade)
def void_choice(body: dict[str, Any], choice_id: uuid.UUID) -> dict[str, Any]:
    """After the window: the institution that charges for the course takes the choice away."""
    return tell("learning", "void_choice", {"choice_id": str(choice_id), **body})


# --- grades ---


@blueprint.post("/grades")
@blueprint.doc(operationId="grade_choices")
@blueprint.arguments(schemas.NewGrades)
@blueprint.response(200, schemas.GradesDone)
def grade_choices(body: dict[str, Any]) -> dict[str, Any]:
    """Enter grades of a period that is being taught, each row by itself. Longer lists are a job: `/jobs/learning`."""
    return tell("learning", "grade_choices", schemas.NewGrades().dump(body))


@blueprint.get("/choices/<uuid:choice_id>/grades")
@blueprint.doc(operationId="get_grade_history")
@blueprint.response(200, schemas.GradeHistory)
def get_grade_history(choice_id: uuid.UUID) -> dict[str, Any]:
    """Every grade that was entered for a choice, and why it was changed."""
    return ask("learning", "get_grade_history", {"choice_id": str(choice_id)})


# --- looking ---


@blueprint.get("/choices/mine")
@blueprint.doc(operationId="list_own_choices")
@blueprint.arguments(schemas.OwnChoicesQuery, location="query")
@blueprint.response(200, schemas.Choices)
def list_own_choices(query: dict[str, Any]) -> dict[str, Any]:
    """Your courses, the newest first: 已选, 学习中, 已通过, 未通过."""
    return ask_page("learning", "list_own_choices", schemas.OwnChoicesQuery().dump(query))


@blueprint.get("/choices")
@blueprint.doc(operationId="list_choices")
@blueprint.arguments(schemas.ChoicesQuery, location="query")
@blueprint.response(200, schemas.PlacedChoices)
def list_choices(query: dict[str, Any]) -> dict[str, Any]:
    """选课查询, 录取查询: choices of the teachers of a place."""
    return ask_page("learning", "list_choices", schemas.ChoicesQuery().dump(query))


@blueprint.get("/offered-seats")
@blueprint.doc(operationId="list_seats")
@blueprint.arguments(schemas.SeatsQuery, location="query")
@blueprint.response(200, schemas.SeatsList)
def list_seats(query: dict[str, Any]) -> dict[str, Any]:
    """How many seats of a period's courses are taken."""
    return ask_page("learning", "list_seats", schemas.SeatsQuery().dump(query))


@blueprint.get("/choice-statistics")
@blueprint.doc(operationId="list_choice_statistics")
@blueprint.arguments(schemas.ChoiceStatisticsQuery, location="query")
@blueprint.response(200, schemas.ChoiceStatistics)
def list_choice_statistics(query: dict[str, Any]) -> dict[str, Any]:
    """选课统计, 课程通过率统计: each course of a period, with how many of a place's teachers stand where."""
    return _page_of_figures("list_choice_statistics", schemas.ChoiceStatisticsQuery().dump(query))


@blueprint.get("/choice-statistics/below")
@blueprint.doc(operationId="list_choice_statistics_below")
@blueprint.arguments(schemas.ChoiceStatisticsBelowQuery, location="query")
@blueprint.response(200, schemas.ChoiceStatisticsBelow)
def list_choice_statistics_below(query: dict[str, Any]) -> dict[str, Any]:
    """The same for each place directly below, in the order of the tree: no league tables."""
    return _page_of_figures("list_choice_statistics_below", schemas.ChoiceStatisticsBelowQuery().dump(query))


def _page_of_figures(method: str, query: dict[str, Any]) -> dict[str, Any]:
    reply = ask("learning", method, {**query, "cursor": open_cursor(query.get("cursor"))})
    return {**reply, "next_cursor": seal_cursor(reply["next_cursor"])}
