"""Bodies of phone changes and tickets. Shape only: whether a code or a claim is right, identity and support decide."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import File, Page, PageReply, Schema, Text
from gateway.schemas.access import captcha
from gateway.schemas.identity import EXAMPLE_ID, EXAMPLE_INSTANT, MASKED_PHONE, choice, phone, sms_code
from services.identity import contract as identity
from services.identity.contract import phone as contract

STATES = tuple(contract.TicketState)
REASONS = (*contract.Rejection, *contract.Cancellation)


class ChangeCode(Schema):
    sms_code = sms_code(required=True)


class NewPhone(Schema):
    new_phone = phone(required=True)


class PhoneChange(ma.Schema):
    change_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    state = fields.String(metadata={"description": "OLD_SENT, OLD_PROVED, NEW_SENT, DONE.", "example": "OLD_SENT"})
    expires_at = fields.String(metadata={"description": "Until when it must be finished.", "example": EXAMPLE_INSTANT})


class TicketCodeRequest(Schema):
    new_phone = phone(required=True)
    captcha = captcha()


class NewTicket(Schema):
    """Whatever is claimed, the answer is the same: support compares it with the account."""

    name = Text(60, required=True, metadata={"example": "张三"})
    id_type = choice(identity.ID_TYPES, "RESIDENT_ID", load_default="RESIDENT_ID")
    id_no = Text(30, required=True, metadata={"example": "11010519491231002X"})
    old_phone = phone(required=True)
    new_phone = phone(required=True)
    sms_code = sms_code(required=True)


class TicketKey(ma.Schema):
    ticket_key = Text(
        200,
        required=True,
        data_key="Ticket-Key",
        metadata={"description": "From the answer that opened the ticket.", "example": "0a1b2c3d.5f1c0a9be27d4e33"},
    )


class PhotoHeaders(TicketKey):
    consent_version = Text(
        20,
        shortest=0,
        load_default="",
        data_key="Consent-Version",
        metadata={
            "description": "The version of the text about sensitive data (kind SENSITIVE of the list of consent texts) that"
            " the person in the photo has read and agreed to. Without it no photo is taken.",
            "example": "2022-12-01",
        },
    )


class Ticket(ma.Schema):
    ticket_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    state = choice(STATES, "SUBMITTED")
    reason = fields.String(metadata={"description": "Why it was rejected or cancelled.", "example": ""})
    note = fields.String(metadata={"description": "What the agent adds to a rejection.", "example": ""})
    new_phone = fields.String(metadata={"description": "Masked.", "example": MASKED_PHONE})
    evidence = fields.Integer(metadata={"description": "Photos so far.", "example": 1})
    opened_at = fields.String(metadata={"example": EXAMPLE_INSTANT})
    submitted_at = fields.String(allow_none=True)
    decided_at = fields.String(allow_none=True)
    cools_until = fields.String(allow_none=True, metadata={"description": "When an approved one takes effect."})
    over_at = fields.String(allow_none=True)


class OpenedTicket(Ticket):
    ticket_key = fields.String(
        metadata={
            "description": "Send it as `Ticket-Key` from now on; it is shown once.",
            "example": "0a1b2c3d.5f1c0a9be27d4e33",
        }
    )


class Photo(Schema):
    file = File("JPEG or PNG of at most 5 MB: yourself, holding the document.", required=True)


class PhotoAdded(ma.Schema):
    evidence_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    evidence = fields.Integer(metadata={"description": "Photos so far, three at most.", "example": 1})


class OwnTicket(ma.Schema):
    state = choice(STATES, "COOLING")
    new_phone = fields.String(metadata={"description": "Masked.", "example": MASKED_PHONE})
    submitted_at = fields.String(allow_none=True, metadata={"example": EXAMPLE_INSTANT})
    decided_at = fields.String(allow_none=True)
    cools_until = fields.String(allow_none=True)


class StopToken(Schema):
    token = Text(100, required=True, metadata={"description": "Last part of the link in the SMS."})


class Stopped(ma.Schema):
    state = choice(STATES, "CANCELLED")


class QueueQuery(Page):
    state = choice(STATES, "SUBMITTED", load_default="SUBMITTED")


class QueuedTicket(ma.Schema):
    """A ticket as agents see it in the queue: masked."""

    ticket_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    state = choice(STATES, "SUBMITTED")
    id_type = fields.String(metadata={"example": "RESIDENT_ID"})
    name = fields.String(metadata={"example": "张*"})
    id_no = fields.String(metadata={"example": "1101**********002X"})
    old_phone = fields.String(metadata={"example": MASKED_PHONE})
    new_phone = fields.String(metadata={"example": MASKED_PHONE})
    evidence = fields.Integer(metadata={"example": 1})
    mine = fields.Boolean(metadata={"description": "You have claimed it."})
    claimed_at = fields.String(allow_none=True)
    second_agent_needed = fields.Boolean(
        metadata={"description": "One agent has approved; the account is an administrator's."}
    )
    reason = fields.String()
    opened_at = fields.String(metadata={"example": EXAMPLE_INSTANT})
    submitted_at = fields.String(allow_none=True)
    decided_at = fields.String(allow_none=True)
    cools_until = fields.String(allow_none=True)
    over_at = fields.String(allow_none=True)


class Queue(PageReply):
    items = fields.List(fields.Nested(QueuedTicket))


class Matches(ma.Schema):
    account = fields.Boolean(metadata={"description": "The old phone is an account's."})
    name = fields.Boolean()
    id_no = fields.Boolean()


class TicketPhoto(ma.Schema):
    evidence_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    media_type = fields.String(metadata={"example": "image/jpeg"})
    size = fields.Integer(metadata={"example": 183_000})


class TicketInHand(QueuedTicket):
    """In clear, for the agent who has claimed it; each view is put on record."""

    matches = fields.Nested(Matches)
    administrator = fields.Boolean(metadata={"description": "The account holds grants: two agents have to approve."})
    images = fields.List(fields.Nested(TicketPhoto))


class Rejection(Schema):
    reason = choice(tuple(contract.Rejection), "UNREADABLE", required=True)
    note = Text(200, metadata={"description": "Shown to whoever asked, not sent.", "example": "请重新拍摄证件正面"})
