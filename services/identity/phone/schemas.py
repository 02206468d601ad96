"""Arguments about phone changes and tickets."""

from __future__ import annotations

from marshmallow import fields, validate

from services.identity import contract as identity
from services.identity.access.schemas import captcha
from services.identity.contract import phone as contract
from services.identity.schemas import Arguments, Text, choice, code_text, phone_text
from services.shared.paging import Page


def ticket_key(**options):
    return Text(200, required=True, **options)


class OneChange(Arguments):
    change_id = fields.UUID(required=True)


class ChangeAndCode(OneChange):
    sms_code = code_text(required=True)


class NameNewPhone(OneChange):
    new_phone = phone_text(required=True)


class RequestTicketCode(Arguments):
    new_phone = phone_text(required=True)
    captcha = captcha()


class OpenTicket(Arguments):
    name = Text(60, required=True)
    id_type = choice(identity.ID_TYPES, load_default="RESIDENT_ID")
    id_no = Text(30, required=True)
    old_phone = phone_text(required=True)
    new_phone = phone_text(required=True)
    sms_code = code_text(required=True)
    language = choice(contract.LANGUAGES, load_default="zh")


class OneTicket(Arguments):
    ticket_id = fields.UUID(required=True)


class TicketAndKey(OneTicket):
    ticket_key = ticket_key()


class PrepareEvidence(TicketAndKey):
    sha256 = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))
    media_type = choice(contract.EVIDENCE_TYPES, required=True)
    size = fields.Integer(required=True, strict=True, validate=validate.Range(1, contract.EVIDENCE_BYTES))
    consent_version = Text(20, shortest=0, load_default="")  # of the text about sensitive data that was agreed to


class KeepEvidence(TicketAndKey):
    evidence_id = fields.UUID(required=True)
    storage_key = Text(100, required=True)


class OneEvidence(OneTicket):
    evidence_id = fields.UUID(required=True)


class StopToken(Arguments):
    token = Text(100, required=True)


class ListTickets(Page, Arguments):
    states = fields.List(
        choice(tuple(contract.TicketState)), load_default=lambda: ["SUBMITTED"], validate=validate.Length(1, 8)
    )
    cursor = fields.UUID(load_default=None, allow_none=True)


class RejectTicket(OneTicket):
    reason = choice(tuple(contract.Rejection), required=True)
    note = Text(200, shortest=0, load_default="")
