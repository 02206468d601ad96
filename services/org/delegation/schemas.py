"""Arguments and replies of org/delegation."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.org.contract import GrantState
from services.org.contract.delegation import Channel, CodeState, ProposalState, SeatState
from services.org.delegation.rules.codes import ROLES
from services.org.schemas import GrantRole, Place
from services.shared.actor import Role
from services.shared.fields import Instant, Text
from services.shared.paging import Page

SEAT_ROLES = sorted(ROLES)


class GenerateCode(Schema):
    place = Place(required=True)
    role = fields.Enum(Role, required=True)
    regenerate = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class CodeId(Schema):
    code_id = fields.UUID(required=True)


class CodeAndReason(CodeId):
    reason = Text(200, shortest=0, load_default="")


class Delivery(CodeId):
    channel = fields.Enum(Channel, required=True)


class ProposeGrant(GrantRole):
    reason = Text(200, shortest=0, load_default="")


class ProposalId(Schema):
    proposal_id = fields.UUID(required=True)


class ProposalAndReason(ProposalId):
    reason = Text(200, required=True)


class ProposalAndRemark(ProposalId):
    reason = Text(200, shortest=0, load_default="")


class ListProposals(Page):
    place = Place(required=True)
    state = fields.Enum(ProposalState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class GrantProposal(Schema):
    proposal_id = fields.UUID()
    account_id = fields.UUID()
    role = fields.String()
    place = fields.String()
    valid_from = Instant(allow_none=True)
    valid_to = Instant(allow_none=True)
    replace = fields.Boolean()
    state = fields.String()
    reason = fields.String()
    proposed_by = fields.UUID()
    proposed_at = Instant()
    expires_at = Instant()
    decided_by = fields.UUID(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision_reason = fields.String()
    grant_id = fields.UUID(allow_none=True)


class ActivateCode(Schema):
    # Somebody types it from a letter; rules read it.
    code = fields.String(required=True, validate=validate.Length(1, 100))
    replace = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ListCodes(Page):
    place = Place(required=True)
    state = fields.Enum(CodeState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class AuthorityCode(Schema):
    code_id = fields.UUID()
    role = fields.String()
    place = fields.String()
    state = fields.String()
    issued_by = fields.UUID()
    issued_at = Instant()
    approved_by = fields.UUID(allow_none=True)
    approved_at = Instant(allow_none=True)
    expires_at = Instant()
    channel = fields.String()
    delivered_at = Instant(allow_none=True)
    activated_by = fields.UUID(allow_none=True)
    activated_at = Instant(allow_none=True)
    grant_id = fields.UUID(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String()


class PlaceOnly(Schema):
    place = Place(required=True)


class ListUnits(Page):
    place = Place(required=True)
    state = fields.Enum(SeatState, load_default=None, allow_none=True)
    cursor = Place(load_default=None, allow_none=True)


class ListSeats(ListUnits):
    role = fields.String(required=True, validate=validate.OneOf(SEAT_ROLES))
    state = fields.Enum(SeatState, required=True)


class ListAdministrators(Page):
    place = Place(required=True)
    state = fields.Enum(GrantState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class Tally(Schema):
    level = fields.String()
    role = fields.String()
    expected = fields.Integer(attribute="counts.expected")
    not_generated = fields.Integer(attribute="counts.not_generated")
    generated = fields.Integer(attribute="counts.generated")
    activated = fields.Integer(attribute="counts.activated")
    disabled = fields.Integer(attribute="counts.disabled")


class SeatOfUnit(Schema):
    role = fields.String()
    state = fields.String()
    changed_at = Instant()
    code_expires_at = Instant(allow_none=True)


class Seat(SeatOfUnit):
    place = fields.String()
    level = fields.String()
    name = fields.String()
    school_id = fields.UUID(allow_none=True)


class Unit(Schema):
    place = fields.String()
    level = fields.String()
    name = fields.String()
    school_id = fields.UUID(allow_none=True)
    seats = fields.List(fields.Nested(SeatOfUnit))
    tallies = fields.List(fields.Nested(Tally))


class Walk(Schema):
    """A page of a proof."""

    after = fields.String(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(1, 1000))
