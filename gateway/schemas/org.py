"""Bodies and queries of divisions, schools, memberships, grants."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.org import contract
from services.shared.actor import Role

DIVISION_CODE = r"^(CN|[1-9][0-9]{5})\Z"
PLACE = r"^CN(/[0-9]{6}){0,3}(/s[0-9a-f]{32}|/other)?\Z"
EXAMPLE_PLACE = "CN/440000/440100/440104"
EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"


def choice(values: type, **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([str(value) for value in values]), **options)  # type: ignore[attr-defined]


def division_code(**options: Any) -> fields.String:
    metadata = {"description": "GB/T 2260 code; CN is the whole country.", "example": "440104"}
    return fields.String(validate=validate.Regexp(DIVISION_CODE), metadata=metadata, **options)


def place(**options: Any) -> fields.String:
    metadata = {"description": "Path in the tree, from the country down.", "example": EXAMPLE_PLACE}
    return fields.String(validate=validate.Regexp(PLACE), metadata=metadata, **options)


def an_id(**options: Any) -> fields.UUID:
    return fields.UUID(metadata={"example": EXAMPLE_ID}, **options)


class DivisionsQuery(Schema):
    parent = division_code(load_default=contract.NATION)


class Division(ma.Schema):
    code = fields.String(metadata={"example": "440104"})
    level = choice(contract.Level, metadata={"example": "COUNTY"})
    parent = fields.String(
        metadata={"description": "Stored: a code's prefix is not always its parent.", "example": "440100"}
    )
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    name = fields.String(metadata={"example": "越秀区"})
    leaf = fields.Boolean(metadata={"description": "No division stands below it; schools may.", "example": True})


class Divisions(ma.Schema):
    items = fields.List(fields.Nested(Division))


class SchoolsQuery(Page):
    division = division_code(load_default=contract.NATION)
    q = Text(50, metadata={"description": "Any part of the school's name.", "example": "实验小学"})


class School(ma.Schema):
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    name = fields.String(metadata={"example": "越秀区实验小学"})
    place = fields.String()
    division_code = fields.String(metadata={"example": "440104"})
    code = fields.String(
        allow_none=True, metadata={"description": "学校标识码; temporary schools have none.", "example": "2144000001"}
    )
    kind = choice(contract.SchoolKind)
    attachment = choice(contract.Attachment)
    school_type = choice(contract.SchoolType)
    nature = choice(contract.SchoolNature)
    town = fields.String(metadata={"example": "北京街道"})
    other = fields.Boolean(metadata={"description": "Whether it is the county's 其他, where nobody is verified."})
    state = choice(contract.SchoolState)
    merged_into = fields.String(
        allow_none=True, metadata={"description": "Where its teachers belong since a merger.", "example": None}
    )
    version = fields.Integer()


class SchoolContact(ma.Schema):
    seal_name = fields.String()
    head_name = fields.String(metadata={"description": "Masked.", "example": "王**"})
    head_mobile = fields.String(metadata={"description": "Masked.", "example": "138****5678"})
    notice_name = fields.String(allow_none=True, metadata={"description": "Whom notices by SMS reach; masked."})
    notice_mobile = fields.String(allow_none=True, metadata={"description": "Masked."})


class SchoolDetail(School):
    contact = fields.Nested(
        SchoolContact, allow_none=True, metadata={"description": "Null for those who do not manage the school."}
    )


class Schools(PageReply):
    items = fields.List(fields.Nested(School))


class NewSchool(Schema):
    division_code = division_code(required=True)
    name = Text(100, required=True, metadata={"example": "越秀区实验小学"})
    school_type = choice(contract.SchoolType, required=True, metadata={"example": "PRIMARY"})
    seal_name = Text(
        100, required=True, metadata={"description": "公章名, as on invoices.", "example": "越秀区实验小学"}
    )
    town = Text(100, required=True, metadata={"example": "北京街道"})
    nature = choice(contract.SchoolNature, required=True, metadata={"example": "PUBLIC"})
    head_name = Text(60, required=True, metadata={"example": "王校长"})
    head_mobile = fields.String(
        required=True, validate=validate.Regexp(r"^1[3-9][0-9]{9}\Z"), metadata={"example": "13800000000"}
    )
    notice_name = Text(60, metadata={"description": "Whom notices by SMS reach, if not the head.", "example": "李干事"})
    notice_mobile = fields.String(validate=validate.Regexp(r"^1[3-9][0-9]{9}\Z"), metadata={"example": "13700000000"})
    kind = choice(contract.SchoolKind, load_default="BASIC_EDUCATION")
    code = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"^[0-9]{10}\Z"),
        metadata={"description": "学校标识码; leave out for a temporary school.", "example": "2144000001"},
    )


class SchoolChoice(Schema):
    school_id = an_id()
    other_of = division_code()

    @ma.validates_schema
    def require_one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ma.ValidationError("Not a valid choice: give either school_id or other_of.", "school_id")


class Person(ma.Schema):
    name = fields.String(metadata={"description": "Masked.", "example": "张*"})
    id_no = fields.String(metadata={"description": "Masked."})
    phone = fields.String(metadata={"description": "Masked."})
    segment = fields.String()
    subject = fields.String()
    complete = fields.Boolean(metadata={"description": "Whether the profile suffices to enrol."})


class Membership(ma.Schema):
    teacher_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_id = fields.String(metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "越秀区实验小学"})
    place = fields.String()
    state = choice(contract.MembershipState, metadata={"example": "PENDING"})
    reason = fields.String(metadata={"description": "Of the last rejection or release."})
    version = fields.Integer()
    changed_at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})


class Member(Membership):
    person = fields.Nested(
        Person, allow_none=True, metadata={"description": "Masked; null once the teacher is out of the school's reach."}
    )


class MembershipsQuery(Page):
    school_id = an_id(required=True)
    state = choice(contract.MembershipState)


class Members(PageReply):
    items = fields.List(fields.Nested(Member))


class Reason(Schema):
    reason = Text(200, required=True, metadata={"example": "不是本校教师"})


class NewGrant(Schema):
    account_id = an_id(required=True)
    role = choice(Role, required=True, metadata={"example": "SCHOOL_ADMIN"})
    place = place(required=True)
    valid_from = fields.AwareDateTime(metadata={"description": "Now when left out."})
    valid_to = fields.AwareDateTime(metadata={"description": "Without end when left out."})
    replace = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "End the present holders' grants of this role at this place in the same act."},
    )


class Grant(ma.Schema):
    grant_id = fields.String(metadata={"example": EXAMPLE_ID})
    account_id = fields.String(metadata={"example": EXAMPLE_ID})
    role = choice(Role)
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    state = choice(contract.GrantState)
    valid_from = fields.String()
    valid_to = fields.String(allow_none=True)
    granted_at = fields.String()
    ended_at = fields.String(allow_none=True)


class GrantsQuery(Page):
    place = place(required=True)


class Grants(PageReply):
    items = fields.List(fields.Nested(Grant))
