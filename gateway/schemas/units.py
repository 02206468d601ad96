"""Bodies and queries of schools' lives: changes, mergers, moves, missing schools, tenant policies."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, School, an_id, choice, division_code, place
from services.org import contract
from services.org.contract.units import (
    MAX_SCHOOL_ADMINS,
    KeepCodeOf,
    MoveState,
    ProfileReview,
    RequestState,
    TenantMode,
)

MOMENT = "2023-01-10T02:00:00.000000Z"
MOBILE = r"^1[3-9][0-9]{9}\Z"
CODE = r"^[0-9]{10}\Z"


def mobile(**options: Any) -> fields.String:
    return fields.String(validate=validate.Regexp(MOBILE), metadata={"example": "13800000000"}, **options)


def school_code(**options: Any) -> fields.String:
    metadata = {"description": "学校标识码; null for a school that has none yet.", "example": "2144000001"}
    return fields.String(allow_none=True, validate=validate.Regexp(CODE), metadata=metadata, **options)


def version() -> Whole:
    metadata = {"description": "Of the school as it was looked at: a change meanwhile is refused.", "example": 1}
    return Whole(required=True, metadata=metadata)


def reason(example: str = "区教育局文件") -> Text:
    return Text(200, required=True, metadata={"example": example})


# --- schools --------------------------------------------------------------------------------------------------------


class SchoolChange(Schema):
    version = version()
    name = Text(100, metadata={"example": "越秀区第一实验小学"})
    school_type = choice(contract.SchoolType)
    seal_name = Text(100, metadata={"description": "公章名, as on invoices.", "example": "越秀区第一实验小学"})
    town = Text(100, metadata={"example": "北京街道"})
    nature = choice(contract.SchoolNature)
    head_name = Text(60, metadata={"example": "王校长"})
    head_mobile = mobile()
    notice_name = Text(60, allow_none=True, metadata={"description": "Whom notices by SMS reach.", "example": "李干事"})
    notice_mobile = mobile(allow_none=True)
    kind = choice(contract.SchoolKind, metadata={"description": "The keeper's to change; asks for a new code."})
    code = school_code()

    @ma.validates_schema
    def require_something(self, data: dict[str, Any], **_: Any) -> None:
        if not set(data) - {"version"}:
            raise ma.ValidationError("Not a change: name at least one field.")


class SchoolAct(Schema):
    version = version()
    reason = reason()


class CodeCorrection(SchoolAct):
    code = school_code(required=True)


class Merger(SchoolAct):
    into = an_id(required=True)
    keep_code_of = choice(
        KeepCodeOf,
        load_default="SURVIVING",
        metadata={"description": "Whose code the remaining school carries; the other one is void for ever."},
    )


class Purpose(Schema):
    reason = reason("通知开学检查")


class OpenContact(ma.Schema):
    seal_name = fields.String()
    head_name = fields.String(allow_none=True)
    head_mobile = fields.String(allow_none=True, metadata={"description": "In clear.", "example": "13800000000"})
    notice_name = fields.String(allow_none=True)
    notice_mobile = fields.String(allow_none=True)


class UnitsQuery(Page):
    division = division_code(load_default=contract.NATION)
    kind = choice(contract.SchoolKind)
    state = choice(contract.SchoolState)
    attachment = choice(contract.Attachment)
    school_type = choice(contract.SchoolType)
    nature = choice(contract.SchoolNature)
    code = fields.String(
        validate=validate.Regexp(CODE),
        metadata={"description": "Also one that is void by now.", "example": "2144000001"},
    )
    q = Text(50, metadata={"description": "Any part of the name.", "example": "实验小学"})


class CountsQuery(Schema):
    division = division_code(load_default=contract.NATION)


class Counts(ma.Schema):
    living = fields.Integer(metadata={"description": "Units that have neither been merged nor closed.", "example": 57})
    by_state = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"example": {"ACTIVE": 57}})
    by_kind = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"example": {"BASIC_EDUCATION": 55}})
    by_attachment = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"example": {"COUNTY": 57}})


class FormerPlace(ma.Schema):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    division_code = fields.String(metadata={"example": "440104"})
    from_at = fields.String(metadata={"example": MOMENT})
    until_at = fields.String(metadata={"example": MOMENT})


class GivenCode(ma.Schema):
    code = fields.String(metadata={"example": "2144000001"})
    given_at = fields.String(metadata={"example": MOMENT})
    void_at = fields.String(allow_none=True)
    void_reason = fields.String(allow_none=True, metadata={"example": "RECODED"})


class History(ma.Schema):
    school = fields.Nested(School)
    former_places = fields.List(fields.Nested(FormerPlace))
    codes = fields.List(fields.Nested(GivenCode))


# --- moves ----------------------------------------------------------------------------------------------------------


class NewMove(Schema):
    school_id = an_id(required=True)
    division_code = division_code(required=True)
    reason = reason("区划调整")


class Decision(Schema):
    reason = reason("同意")


class MovesQuery(Page):
    division = division_code(load_default=contract.NATION)
    state = choice(MoveState)


class Move(ma.Schema):
    move_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    from_parent = fields.String(metadata={"example": EXAMPLE_PLACE})
    to_parent = fields.String(metadata={"example": "CN/440000/440100/440105"})
    to_division = fields.String(metadata={"example": "440105"})
    executing_place = fields.String(metadata={"description": "Who executes it.", "example": "CN/440000/440100"})
    state = choice(MoveState)
    reason = fields.String()
    requested_by = fields.String(metadata={"example": EXAMPLE_ID})
    requested_at = fields.String(metadata={"example": MOMENT})
    decided_at = fields.String(allow_none=True)
    decision_reason = fields.String()
    version = fields.Integer()


class Moves(PageReply):
    items = fields.List(fields.Nested(Move))


# --- missing schools ------------------------------------------------------------------------------------------------


class NewRequest(Schema):
    name = Text(100, required=True, metadata={"example": "越秀区新河浦小学"})
    school_type = choice(contract.SchoolType, required=True, metadata={"example": "PRIMARY"})
    town = Text(100, required=True, metadata={"example": "东山街道"})


class Found(Schema):
    school_id = an_id(required=True)


class Rejection(Schema):
    reason = reason("不属本区")


class RequestsQuery(Page):
    division = division_code(load_default=contract.NATION)
    state = choice(RequestState)


class Request(ma.Schema):
    request_id = fields.String(metadata={"example": EXAMPLE_ID})
    place = fields.String(metadata={"description": "The county that is asked.", "example": EXAMPLE_PLACE})
    division_code = fields.String(metadata={"example": "440104"})
    name = fields.String(metadata={"example": "越秀区新河浦小学"})
    school_type = choice(contract.SchoolType)
    town = fields.String(metadata={"example": "东山街道"})
    askers = fields.Integer(metadata={"description": "How many colleagues ask for it.", "example": 12})
    state = choice(RequestState)
    school_id = fields.String(allow_none=True, metadata={"description": "The answer: the school to choose now."})
    reason = fields.String(metadata={"description": "Of a rejection."})
    version = fields.Integer()
    requested_at = fields.String(metadata={"example": MOMENT})
    decided_at = fields.String(allow_none=True)


class Requests(PageReply):
    items = fields.List(fields.Nested(Request))


# --- tenant policies ------------------------------------------------------------------------------------------------


class PlaceQuery(Schema):
    place = place(required=True)


class PoliciesQuery(Page):
    place = place(required=True)


class NewPolicy(Schema):
    place = place(required=True)
    mode = choice(TenantMode, required=True, metadata={"description": "GATED: nothing before the school's approval."})
    max_school_admins = Whole(
        required=True, validate=validate.Range(1, MAX_SCHOOL_ADMINS), metadata={"description": "Of one school."}
    )
    profile_review = choice(ProfileReview, required=True)
    reason = reason("省厅通知")


class PolicyWithdrawal(Schema):
    place = place(required=True)
    reason = reason("随上级")


class Policy(ma.Schema):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    decided_at_place = fields.String(
        allow_none=True,
        metadata={"description": "The place whose decision holds here; null for the default.", "example": "CN/440000"},
    )
    mode = choice(TenantMode)
    max_school_admins = fields.Integer(metadata={"example": 1})
    profile_review = choice(ProfileReview)


class DecidedPolicy(ma.Schema):
    place = fields.String(metadata={"example": "CN/440000"})
    mode = choice(TenantMode)
    max_school_admins = fields.Integer(metadata={"example": 1})
    profile_review = choice(ProfileReview)
    changed_at = fields.String(metadata={"example": MOMENT})


class Policies(PageReply):
    items = fields.List(fields.Nested(DecidedPolicy))
