"""Arguments and replies of org/units."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.org import contract
from services.org.contract.units import (
    MAX_SCHOOL_ADMINS,
    KeepCodeOf,
    MoveState,
    ProfileReview,
    RequestState,
    TenantMode,
)
from services.org.schemas import DivisionCode, NewSchool, Place, School
from services.shared.fields import Instant, Text
from services.shared.paging import Page

MOBILE = r"1[3-9][0-9]{9}\Z"


def Mobile(**options: Any) -> fields.String:  # noqa: N802  reads as the field it makes
    return fields.String(validate=validate.Regexp(MOBILE), **options)


def SchoolCode(**options: Any) -> fields.String:  # noqa: N802
    return fields.String(allow_none=True, validate=validate.Length(equal=10), **options)


# --- tenant policies ------------------------------------------------------------------------------------------------


class PlaceOnly(Schema):
    place = Place(required=True)


class PlaceAndReason(PlaceOnly):
    reason = Text(200, required=True)


class NewTenantPolicy(PlaceAndReason):
    mode = fields.Enum(TenantMode, required=True)
    max_school_admins = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_SCHOOL_ADMINS))
    profile_review = fields.Enum(ProfileReview, required=True)


class TenantPolicy(Schema):
    """What holds at a place, and the place that decided it; null when nobody did."""

    place = fields.String()
    decided_at_place = fields.String(allow_none=True)
    mode = fields.Enum(TenantMode)
    max_school_admins = fields.Integer()
    profile_review = fields.Enum(ProfileReview)


class ListTenantPolicies(Page):
    place = Place(required=True)
    cursor = Place(load_default=None, allow_none=True)


class DecidedPolicy(Schema):
    place = fields.String()
    mode = fields.String()
    max_school_admins = fields.Integer()
    profile_review = fields.String()
    changed_at = Instant()


# --- schools --------------------------------------------------------------------------------------------------------


class SchoolVersion(Schema):
    school_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)


class SchoolAndReason(SchoolVersion):
    reason = Text(200, required=True)


class EditSchool(SchoolVersion):
    """Only what is named changes."""

    name = Text(100)
    school_type = fields.Enum(contract.SchoolType)
    seal_name = Text(100)
    town = Text(100)
    nature = fields.Enum(contract.SchoolNature)
    head_name = Text(60)
    head_mobile = Mobile()
    notice_name = Text(60, allow_none=True)
    notice_mobile = Mobile(allow_none=True)
    kind = fields.Enum(contract.SchoolKind)
    code = SchoolCode()

    @validates_schema
    def require_something(self, data: dict[str, Any], **_: Any) -> None:
        if not set(data) - {"school_id", "version"}:
            raise ValidationError("Not a change: name at least one field.")


class CorrectSchoolCode(SchoolAndReason):
    code = SchoolCode(required=True)


class MergeSchool(SchoolAndReason):
    into = fields.UUID(required=True)
    keep_code_of = fields.Enum(KeepCodeOf, load_default=KeepCodeOf.SURVIVING)


class RevealContact(Schema):
    school_id = fields.UUID(required=True)
    reason = Text(200, required=True)


class OpenContact(Schema):
    """Names and numbers in clear."""

    seal_name = fields.String()
    head_name = fields.String(allow_none=True)
    head_mobile = fields.String(allow_none=True)
    notice_name = fields.String(allow_none=True)
    notice_mobile = fields.String(allow_none=True)


class ListUnits(Page):
    division = DivisionCode(load_default=contract.NATION)
    kind = fields.Enum(contract.SchoolKind, load_default=None, allow_none=True)
    state = fields.Enum(contract.SchoolState, load_default=None, allow_none=True)
    attachment = fields.Enum(contract.Attachment, load_default=None, allow_none=True)
    school_type = fields.Enum(contract.SchoolType, load_default=None, allow_none=True)
    nature = fields.Enum(contract.SchoolNature, load_default=None, allow_none=True)
    code = fields.String(load_default=None, allow_none=True, validate=validate.Length(equal=10))
    q = Text(50, load_default=None, allow_none=True)
    cursor = Place(load_default=None, allow_none=True)


class CountUnits(Schema):
    division = DivisionCode(load_default=contract.NATION)


class SchoolId(Schema):
    school_id = fields.UUID(required=True)


class FormerPlace(Schema):
    place = fields.String()
    division_code = fields.String()
    from_at = Instant()
    until_at = Instant()


class FormerCode(Schema):
    code = fields.String()
    given_at = Instant()
    void_at = Instant(allow_none=True)
    void_reason = fields.String(allow_none=True)


class SchoolHistory(Schema):
    """Where the school stood before, and which codes it carried."""

    school = fields.Nested(School)
    former_places = fields.List(fields.Nested(FormerPlace))
    codes = fields.List(fields.Nested(FormerCode))


# --- moves ----------------------------------------------------------------------------------------------------------


class NewMove(Schema):
    school_id = fields.UUID(required=True)
    division_code = DivisionCode(required=True)
    reason = Text(200, required=True)


class MoveId(Schema):
    move_id = fields.UUID(required=True)


class MoveAndReason(MoveId):
    reason = Text(200, required=True)


class ListMoves(Page):
    division = DivisionCode(load_default=contract.NATION)
    state = fields.Enum(MoveState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Move(Schema):
    move_id = fields.UUID()
    school_id = fields.UUID()
    from_parent = fields.String()
    to_parent = fields.String()
    to_division = fields.String()
    executing_place = fields.String()
    state = fields.String()
    reason = fields.String()
    requested_by = fields.UUID()
    requested_at = Instant()
    decided_at = Instant(allow_none=True)
    decision_reason = fields.String()
    version = fields.Integer()


# --- missing schools ------------------------------------------------------------------------------------------------


class NewRequest(Schema):
    name = Text(100, required=True)
    school_type = fields.Enum(contract.SchoolType, required=True)
    town = Text(100, required=True)


class RequestId(Schema):
    request_id = fields.UUID(required=True)


class RequestAndReason(RequestId):
    reason = Text(200, required=True)


class CreateRequested(RequestId):
    school = fields.Nested(NewSchool, required=True)


class AnswerWithSchool(RequestId):
    school_id = fields.UUID(required=True)


class ListRequests(Page):
    division = DivisionCode(load_default=contract.NATION)
    state = fields.Enum(RequestState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListOwnRequests(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class Request(Schema):
    request_id = fields.UUID()
    place = fields.String()
    division_code = fields.String()
    name = fields.String()
    school_type = fields.String()
    town = fields.String()
    askers = fields.Integer()
    state = fields.String()
    school_id = fields.UUID(allow_none=True)
    reason = fields.String()
    version = fields.Integer()
    requested_at = Instant()
    decided_at = Instant(allow_none=True)
