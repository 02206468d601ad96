"""Arguments and replies of identity/access."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from services.identity.contract.access import DESKS
from services.identity.schemas import Arguments, GrantShown, Text, choice, code_text, password_text, phone_text
from services.shared.paging import Page


def captcha(**options: Any) -> Text:
    return Text(4000, **options)


def user_agent(**options: Any) -> Text:
    return Text(400, shortest=0, load_default="", **options)


class StartSignIn(Arguments):
    phone = phone_text()
    login = Text(40)
    password = password_text()
    sms_code = code_text()
    new_password = password_text()
    desk = choice(DESKS, load_default="TEACHER")
    captcha = captcha()
    user_agent = user_agent()


class RefreshSession(Arguments):
    refresh_token = Text(200, required=True)


class ChooseDesk(Arguments):
    desk = choice(DESKS, required=True)
    password = password_text()
    sms_code = code_text()
    captcha = captcha()


class StepUp(Arguments):
    sms_code = code_text(required=True)


class SetPassword(Arguments):
    password = password_text(required=True)
    current_password = password_text()
    sms_code = code_text()


class RecoverPassword(Arguments):
    phone = phone_text(required=True)
    sms_code = code_text(required=True)
    password = password_text(required=True)


class ListSignIns(Page, Arguments):
    cursor = fields.UUID(load_default=None, allow_none=True)


class OneSignIn(Arguments):
    session_id = fields.UUID(required=True)


class SignInShown(Schema):
    session_id = fields.UUID()
    current = fields.Boolean()
    method = fields.String()
    device = fields.String()
    address = fields.String()
    desk = fields.String()
    started_at = fields.String()
    last_used_at = fields.String()


class Administrator(Schema):
    account_id = fields.UUID()
    name = fields.String()
    phone = fields.String()
    grants = fields.List(fields.Nested(GrantShown))
    missing = fields.List(fields.String())
    desk = fields.String()
    desk_closes_at = fields.String(allow_none=True)
    elevated_until = fields.String(allow_none=True)
