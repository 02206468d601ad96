"""Statistics of training, from the nation down to the school."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask
from gateway.schemas import statistics as schemas

blueprint = Blueprint("statistics", __name__, description="研修统计 (statistics of training by place and day)")


@blueprint.get("/statistics")
@blueprint.doc(operationId="get_statistics")
@blueprint.arguments(schemas.StatisticsQuery, location="query")
@blueprint.response(200, schemas.Statistics)
def get_statistics(query: dict[str, Any]) -> dict[str, Any]:
    """The totals of a place and everything below it."""
    return ask("credits", "get_statistics", schemas.StatisticsQuery().dump(query))


@blueprint.get("/statistics/below")
@blueprint.doc(operationId="list_statistics_below")
@blueprint.arguments(schemas.StatisticsBelowQuery, location="query")
@blueprint.response(200, schemas.StatisticsBelow)
def list_statistics_below(query: dict[str, Any]) -> dict[str, Any]:
    """The totals of each place directly below, in the order of the tree: no league tables."""
    return ask_page("credits", "list_statistics_below", schemas.StatisticsBelowQuery().dump(query))


@blueprint.get("/statistics/by-day")
@blueprint.doc(operationId="list_statistics_by_day")
@blueprint.arguments(schemas.StatisticsByDayQuery, location="query")
@blueprint.response(200, schemas.StatisticsByDay)
def list_statistics_by_day(query: dict[str, Any]) -> dict[str, Any]:
    """By how much the totals changed, day by day."""
    return ask("credits", "list_statistics_by_day", schemas.StatisticsByDayQuery().dump(query))


@blueprint.get("/statistics/teachers")
@blueprint.doc(operationId="list_teacher_statistics")
@blueprint.arguments(schemas.TeacherStatisticsQuery, location="query")
@blueprint.response(200, schemas.TeacherStatisticsPage)
def list_teacher_statistics(query: dict[str, Any]) -> dict[str, Any]:
    """How far each teacher of a place has come in a programme, school by school; never in the order of their figures."""
    return ask_page("credits", "list_teacher_statistics", schemas.TeacherStatisticsQuery().dump(query))
