"""Bodies and queries of authority codes, activation and unit administrators."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas import org as org_schemas
from gateway.schemas.org import EXAMPLE_ID, EXAMPLE_PLACE, choice, place
from services.org.contract import GrantState, Level
from services.org.contract.delegation import Channel, CodeState, ProposalState, SeatState
from services.shared.actor import Role

EXAMPLE_CODE = "7KQ2MX-9RTWD4-HVB3YP"
BY_CODE = [Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.PROVINCE_ADMIN, Role.SUPER_ADMIN]


def role_by_code(**options: object) -> fields.String:
    return choice(BY_CODE, **options)  # type: ignore[arg-type]


class NewCode(Schema):
    place = place(required=True)
    role = role_by_code(required=True, metadata={"example": "SCHOOL_ADMIN"})
    regenerate = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Void the code that waits there, and make a new one."},
    )


class Code(ma.Schema):
    code_id = fields.String(metadata={"example": EXAMPLE_ID})
    role = role_by_code()
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    state = choice(CodeState)
    issued_by = fields.String(metadata={"description": "Account.", "example": EXAMPLE_ID})
    issued_at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    approved_by = fields.String(
        allow_none=True, metadata={"description": "The second person's account, where a code takes two."}
    )
    approved_at = fields.String(allow_none=True)
    expires_at = fields.String(
        metadata={
            "description": "30 days after it was issued; a proposed one is to be approved within 7.",
            "example": "2023-02-09T02:00:00.000000Z",
        }
    )
    channel = fields.String(metadata={"description": "How it was handed out; empty before.", "example": "LETTER"})
    delivered_at = fields.String(allow_none=True)
    activated_by = fields.String(allow_none=True, metadata={"description": "Account."})
    activated_at = fields.String(allow_none=True)
    grant_id = fields.String(allow_none=True)
    ended_at = fields.String(allow_none=True)
    end_reason = fields.String(
        metadata={
            "description": "EXPIRED, REVOKED, REGENERATED, UNIT_ENDED, ISSUER_ENDED or GRANT_ENDED; empty before.",
            "example": "",
        }
    )


class CodeWithText(Code):
    code = fields.String(
        metadata={"description": "The code itself: told this once, and kept nowhere.", "example": EXAMPLE_CODE}
    )


class CodesQuery(Page):
    place = place(required=True)
    state = choice(CodeState)


class Codes(PageReply):
    items = fields.List(fields.Nested(Code))


class Delivery(Schema):
    channel = choice(Channel, required=True, metadata={"example": "LETTER"})


class OptionalReason(Schema):
    reason = Text(200, load_default="", shortest=0, metadata={"example": "管理员离任"})


class NewProposal(org_schemas.NewGrant):
    reason = Text(200, load_default="", shortest=0, metadata={"example": "换届"})


class Proposal(ma.Schema):
    proposal_id = fields.String(metadata={"example": EXAMPLE_ID})
    account_id = fields.String(metadata={"description": "Who would be appointed.", "example": EXAMPLE_ID})
    role = choice(Role, metadata={"example": "PROVINCE_ADMIN"})
    place = fields.String(metadata={"example": "CN/440000"})
    valid_from = fields.String(allow_none=True, metadata={"description": "Null: from the approval on."})
    valid_to = fields.String(allow_none=True)
    replace = fields.Boolean()
    state = choice(ProposalState)
    reason = fields.String()
    proposed_by = fields.String(metadata={"description": "Account.", "example": EXAMPLE_ID})
    proposed_at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    expires_at = fields.String(metadata={"description": "A week later.", "example": "2023-01-17T02:00:00.000000Z"})
    decided_by = fields.String(allow_none=True, metadata={"description": "Account; null also of one that expired."})
    decided_at = fields.String(allow_none=True)
    decision_reason = fields.String()
    grant_id = fields.String(allow_none=True, metadata={"description": "What the approval gave."})


class ProposalOfPerson(Proposal):
    person = fields.Nested(
        org_schemas.Person, allow_none=True, metadata={"description": "Who would be appointed, masked."}
    )


class ProposalsQuery(Page):
    place = place(required=True)
    state = choice(ProposalState)


class Proposals(PageReply):
    items = fields.List(fields.Nested(ProposalOfPerson))


class Activation(Schema):
    code = Text(
        100,
        required=True,
        metadata={"description": "As on the letter; case, dashes and blanks do not matter.", "example": EXAMPLE_CODE},
    )
    replace = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Confirmed: end the grant of the present administrator where the place is full."},
    )


class ProgressQuery(Schema):
    place = place(required=True)


class Tally(ma.Schema):
    level = choice(Level, metadata={"example": "SCHOOL"})
    role = role_by_code(metadata={"example": "SCHOOL_ADMIN"})
    expected = fields.Integer(metadata={"example": 212})
    not_generated = fields.Integer(metadata={"description": "未生成", "example": 12})
    generated = fields.Integer(metadata={"description": "已生成", "example": 30})
    activated = fields.Integer(metadata={"description": "已激活", "example": 168})
    disabled = fields.Integer(metadata={"description": "已停用", "example": 2})


class Progress(ma.Schema):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    as_of = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    tallies = fields.List(fields.Nested(Tally))


class UnitsQuery(Page):
    place = place(required=True)
    state = choice(SeatState, metadata={"description": "Only units with a seat in this state."})


class SeatOfUnit(ma.Schema):
    role = role_by_code()
    state = choice(SeatState)
    changed_at = fields.String()
    code_expires_at = fields.String(allow_none=True, metadata={"description": "Of the code that waits."})


class Unit(ma.Schema):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    level = choice(Level)
    name = fields.String(metadata={"example": "越秀区"})
    school_id = fields.String(allow_none=True, metadata={"description": "Null for a region."})
    seats = fields.List(fields.Nested(SeatOfUnit))
    tallies = fields.List(
        fields.Nested(Tally), metadata={"description": "Of a region: its own seats and all below; empty for a school."}
    )


class Units(PageReply):
    as_of = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    items = fields.List(fields.Nested(Unit))


class SeatsQuery(Page):
    place = place(required=True)
    role = role_by_code(required=True, metadata={"example": "SCHOOL_ADMIN"})
    state = choice(SeatState, required=True, metadata={"example": "GENERATED"})


class Seat(SeatOfUnit):
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    level = choice(Level)
    name = fields.String(metadata={"example": "越秀区实验小学"})
    school_id = fields.String(allow_none=True)


class Seats(PageReply):
    items = fields.List(fields.Nested(Seat))


class AdministratorsQuery(Page):
    place = place(required=True)
    state = choice(GrantState)


class Administrator(org_schemas.Grant):
    person = fields.Nested(
        org_schemas.Person, allow_none=True, metadata={"description": "Masked; null where out of the caller's reach."}
    )


class Administrators(PageReply):
    items = fields.List(fields.Nested(Administrator))
