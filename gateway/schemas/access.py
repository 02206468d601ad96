"""Bodies of signing in, desks, stepping up and passwords. Shape only: whether a secret is right, identity decides."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from gateway.schemas import PageReply, Schema, Text
from gateway.schemas.identity import (
    EXAMPLE_ID,
    EXAMPLE_INSTANT,
    MASKED_PHONE,
    AccessToken,
    Grant,
    SignedIn,
    choice,
    phone,
    secret,
    sms_code,
)
from services.identity.contract.access import DESKS, METHODS

EXAMPLE_CHALLENGE = {
    "parameters": {
        "algorithm": "PBKDF2/SHA-256",
        "cost": 1000,
        "expiresAt": 1673510400,
        "keyLength": 32,
        "keyPrefix": "5f1c0a9be27d4e3380c1f6a2d9b47e15",
        "nonce": "b8c1f0d2a7e94c3591d60e7f8a2b4c6d",
        "salt": "0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a",
    },
    "signature": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


def captcha() -> Text:
    return Text(
        4000, metadata={"description": "Solution of a challenge from `POST /captchas`; each opens one door once."}
    )


class Captcha(ma.Schema):
    challenge = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        metadata={"description": "As the altcha widget (proof of work v2) takes it.", "example": EXAMPLE_CHALLENGE},
    )


class NewSignIn(Schema):
    """`phone` or `login`; at the teacher's desk `password` or `sms_code`, at the administrator's both and `captcha`."""

    phone = phone()
    login = Text(40, metadata={"description": "Phone, learner number or resident ID.", "example": "4407812345678"})
    password = secret("Ten wrong ones in a row lock the account; a sign-in by SMS code unlocks it.")
    sms_code = sms_code()
    new_password = secret("In the place of a one-time password, which opens nothing without it.")
    desk = choice(DESKS, "TEACHER", "Only the administrator's desk has the rights of grants.", load_default="TEACHER")
    captcha = captcha()

    @ma.validates_schema
    def _names_somebody(self, data: dict[str, Any], **_: Any) -> None:
        if "phone" not in data and "login" not in data:
            raise ma.ValidationError("Missing data for required field.", "phone")


class SignedInAtDesk(SignedIn):
    desk = choice(DESKS, "TEACHER")


class DeskChoice(Schema):
    """The administrator's desk asks for `password`, `sms_code` (purpose SIGN_IN) and `captcha`; back needs nothing."""

    desk = choice(DESKS, "ADMINISTRATOR", required=True)
    password = secret("The present one.")
    sms_code = sms_code()
    captcha = captcha()


class AtDesk(AccessToken):
    desk = choice(DESKS, "ADMINISTRATOR")


class StepUp(Schema):
    sms_code = sms_code(required=True)


class SteppedUp(AtDesk):
    elevated_until = fields.String(metadata={"description": "Half an hour from now.", "example": EXAMPLE_INSTANT})


class Recovery(Schema):
    """With a code of purpose RECOVER."""

    phone = phone(required=True)
    sms_code = sms_code(required=True)
    password = secret("8 to 64 characters of more than one kind.", required=True)


class PasswordReset(ma.Schema):
    account_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    one_time_password = fields.String(
        metadata={"description": "Shown this once; to be changed at the first sign-in.", "example": "K7QM-3WZP-9XBT"}
    )
    expires_at = fields.String(metadata={"example": EXAMPLE_INSTANT})


class SignIn(ma.Schema):
    session_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    current = fields.Boolean(metadata={"description": "The one that asks."})
    method = choice(METHODS, "PASSWORD")
    device = fields.String(metadata={"example": "Chrome · Windows"})
    address = fields.String(metadata={"description": "Masked.", "example": "203.0.*.*"})
    desk = choice(DESKS, "TEACHER")
    started_at = fields.String(metadata={"example": EXAMPLE_INSTANT})
    last_used_at = fields.String(metadata={"example": EXAMPLE_INSTANT})


class SignIns(PageReply):
    items = fields.List(fields.Nested(SignIn))


class EndedSignIns(ma.Schema):
    ended = fields.Integer(metadata={"example": 2})


class Administrator(ma.Schema):
    account_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    name = fields.String(metadata={"description": "Masked.", "example": "张*"})
    phone = fields.String(metadata={"description": "The bound one, masked.", "example": MASKED_PHONE})
    grants = fields.List(fields.Nested(Grant))
    missing = fields.List(
        fields.String(),
        metadata={"description": "Codes of what keeps the desk closed.", "example": ["identity.name_missing"]},
    )
    desk = choice(DESKS, "ADMINISTRATOR")
    desk_closes_at = fields.String(allow_none=True, metadata={"example": EXAMPLE_INSTANT})
    elevated_until = fields.String(allow_none=True, metadata={"example": None})
