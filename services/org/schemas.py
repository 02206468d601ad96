"""Arguments and replies of org's methods."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.org import contract
from services.shared.actor import Role
from services.shared.fields import Instant, Text
from services.shared.paging import Page

MAX_ROWS = 100  # of one chunk of an import: well within a deadline, and little to repeat after a failure
_PLACE = re.compile(r"CN(/[0-9]{6}){0,3}(/s[0-9a-f]{32}|/other)?")
_DIVISION = re.compile(r"CN|[1-9][0-9]{5}")


def Place(**options: Any) -> fields.String:  # noqa: N802  reads as the field it makes
    return fields.String(validate=validate.Regexp(re.compile(f"(?:{_PLACE.pattern})\\Z")), **options)


def DivisionCode(**options: Any) -> fields.String:  # noqa: N802
    return fields.String(validate=validate.Regexp(re.compile(f"(?:{_DIVISION.pattern})\\Z")), **options)


class ListDivisions(Schema):
    parent = DivisionCode(load_default=contract.NATION)


class GetDivision(Schema):
    code = DivisionCode(required=True)


class Division(Schema):
    code = fields.String()
    level = fields.String()
    parent = fields.String()
    place = fields.String()
    name = fields.String()
    leaf = fields.Boolean()


class ListSchools(Page):
    division = DivisionCode(load_default=contract.NATION)
    q = Text(50, load_default=None, allow_none=True)
    cursor = Place(load_default=None, allow_none=True)


class SchoolId(Schema):
    school_id = fields.UUID(required=True)


class NewSchool(Schema):
    """The seven mandatory fields (`domain.md` §2.2), where the school stands, and its code once it has one."""

    division_code = DivisionCode(required=True)
    name = Text(100, required=True)
    school_type = fields.Enum(contract.SchoolType, required=True)
    seal_name = Text(100, required=True)
    town = Text(100, required=True)
    nature = fields.Enum(contract.SchoolNature, required=True)
    head_name = Text(60, required=True)
    head_mobile = fields.String(required=True, validate=validate.Regexp(r"1[3-9][0-9]{9}\Z"))
    # Whom notices by SMS reach, where that is not the head.
    notice_name = Text(60, load_default=None, allow_none=True)
    notice_mobile = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"1[3-9][0-9]{9}\Z"))
    kind = fields.Enum(contract.SchoolKind, load_default=contract.SchoolKind.BASIC_EDUCATION)
    code = fields.String(load_default=None, allow_none=True, validate=validate.Length(equal=10))


class School(Schema):
    school_id = fields.UUID()
    name = fields.String()
    place = fields.String()
    division_code = fields.String()
    code = fields.String(allow_none=True)
    kind = fields.String()
    attachment = fields.String()
    school_type = fields.String()
    nature = fields.String()
    town = fields.String()
    other = fields.Boolean()
    state = fields.String()
    merged_into = fields.UUID(allow_none=True)
    version = fields.Integer()


class ChooseSchool(Schema):
    school_id = fields.UUID()
    other_of = DivisionCode()

    @validates_schema
    def require_one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Not a valid choice: give either school_id or other_of.", "school_id")


class ListMemberships(Page):
    school_id = fields.UUID(required=True)
    state = fields.Enum(contract.MembershipState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class TeacherId(Schema):
    teacher_id = fields.UUID(required=True)


class TeacherAndReason(TeacherId):
    reason = Text(200, required=True)


class Membership(Schema):
    teacher_id = fields.UUID()
    school_id = fields.UUID()
    school_name = fields.String()
    place = fields.String()
    state = fields.String()
    reason = fields.String()
    version = fields.Integer()
    changed_at = Instant()


class BootstrapGrant(Schema):
    account_id = fields.UUID(required=True)
    role = fields.Enum(Role, required=True)
    place = Place(required=True)


class GrantRole(BootstrapGrant):
    valid_from = fields.AwareDateTime(load_default=None, allow_none=True)
    valid_to = fields.AwareDateTime(load_default=None, allow_none=True)
    replace = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class RevokeGrant(Schema):
    grant_id = fields.UUID(required=True)
    reason = Text(200, shortest=0, load_default="")


class RevokeOperator(Schema):
    account_id = fields.UUID(required=True)
    reason = Text(200, required=True)


class ListGrants(Page):
    place = Place(required=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Grant(Schema):
    grant_id = fields.UUID()
    account_id = fields.UUID()
    role = fields.String()
    place = fields.String()
    state = fields.String()
    valid_from = Instant()
    valid_to = Instant(allow_none=True)
    granted_at = Instant()
    ended_at = Instant(allow_none=True)


class Nothing(Schema):
    """No arguments."""


class MembershipRow(Schema):
    row = fields.Integer(required=True, strict=True)
    account_id = fields.UUID(required=True)
    school_id = fields.UUID(required=True)


class ImportMemberships(Schema):
    rows = fields.List(fields.Nested(MembershipRow), required=True, validate=validate.Length(1, MAX_ROWS))


class RowOutcome(Schema):
    row = fields.Integer()
    outcome = fields.Enum(contract.Outcome)
    code = fields.String()
    field = fields.String()
