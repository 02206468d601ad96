"""Queries and replies of training statistics."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.credits.contract.statistics import Stage

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_PROGRAMME = {
    "description": "Of this programme; without it persons are told: registered and verified.",
    "example": EXAMPLE_ID,
}
_PLACE = {"description": "A place of one's territory.", "example": "CN/440000/440100/440103"}
_AS_OF = {"description": "Up to when everything is counted.", "example": "2023-01-10T02:00:00.000000Z"}


class StatisticsQuery(Schema):
    programme_id = fields.UUID(metadata=_PROGRAMME)
    place = Text(80, required=True, metadata=_PLACE)


class StatisticsBelowQuery(Page):
    programme_id = fields.UUID(metadata=_PROGRAMME)
    place = Text(80, required=True, metadata=_PLACE)


class StatisticsByDayQuery(StatisticsQuery):
    first = fields.Date(required=True, metadata={"description": "A Beijing day.", "example": "2023-01-05"})
    last = fields.Date(required=True, metadata={"description": "At most 400 days on.", "example": "2023-02-28"})


class TeacherStatisticsQuery(Page):
    programme_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    place = Text(80, required=True, metadata=_PLACE)
    stage = fields.String(
        validate=validate.OneOf([str(stage) for stage in Stage]), metadata={"description": "Only those who are there."}
    )


class TeacherStatistics(ma.Schema):
    """How far one teacher has come in the programme."""

    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "广州市第一小学"})
    place = fields.String(metadata={"example": "CN/440000/440100/440103/s1"})
    verified = fields.Boolean(metadata={"description": "By the school.", "example": True})
    stage = fields.String(metadata={"description": ", ".join(Stage), "example": "STUDYING"})
    studied_seconds = fields.Integer(metadata={"example": 5400})
    courses_done = fields.Integer(metadata={"example": 2})
    hours = fields.String(metadata={"description": "Recognised, a decimal string.", "example": "3.00"})
    certified = fields.Boolean(metadata={"description": "Holds a valid certificate of it.", "example": False})


class TeacherStatisticsPage(PageReply):
    items = fields.List(fields.Nested(TeacherStatistics))
    as_of = fields.String(metadata=_AS_OF)


class Measures(ma.Schema):
    registered = fields.Integer(metadata={"description": "Teachers who chose a school here.", "example": 1200})
    verified = fields.Integer(metadata={"description": "Of them, verified by their school.", "example": 1100})
    enrolled = fields.Integer(metadata={"example": 1000})
    studying = fields.Integer(metadata={"description": "Who watched anything.", "example": 900})
    finished = fields.Integer(metadata={"description": "Who met the programme's requirement.", "example": 600})
    certified = fields.Integer(metadata={"description": "Who were issued the certificate.", "example": 590})
    hours = fields.String(metadata={"description": "Recognised hours, a decimal string.", "example": "5100.00"})


class PlaceStatistics(Measures):
    place = fields.String(metadata=_PLACE)


class Statistics(PlaceStatistics):
    as_of = fields.String(metadata=_AS_OF)


class StatisticsBelow(PageReply):
    items = fields.List(fields.Nested(PlaceStatistics))
    as_of = fields.String(metadata=_AS_OF)


class DayStatistics(Measures):
    """By how much the figures changed on the day."""

    day = fields.String(metadata={"example": "2023-01-10"})


class StatisticsByDay(ma.Schema):
    items = fields.List(fields.Nested(DayStatistics))
    as_of = fields.String(metadata=_AS_OF)
