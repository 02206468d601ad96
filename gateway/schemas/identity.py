"""Bodies of accounts, sign-ins and profiles. Shape only: whether a number or a password is right, identity decides."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Schema, Text
from services.identity import contract

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
EXAMPLE_PHONE = "13800138000"
MASKED_PHONE = "138****8000"
EXAMPLE_INSTANT = "2023-01-12T02:00:00.000000Z"


def choice(values: tuple[str, ...], example: str, description: str = "", **options: Any) -> fields.String:
    metadata = {"example": example, **({"description": description} if description else {})}
    return fields.String(validate=validate.OneOf(values), metadata=metadata, **options)


def phone(**options: Any) -> Text:
    metadata = {"description": "Mainland mobile; blanks, hyphens and +86 are taken.", "example": EXAMPLE_PHONE}
    return Text(32, metadata=metadata, **options)


def sms_code(**options: Any) -> Text:
    return Text(12, metadata={"description": "Six digits, five minutes, five tries.", "example": "012345"}, **options)


def secret(description: str, **options: Any) -> Text:
    return Text(256, metadata={"description": description, "example": "correct-horse-9"}, **options)


def segment(**options: Any) -> fields.String:
    description = "任教学段, by code or in Chinese."
    return choice((*contract.SEGMENTS, *contract.SEGMENT_NAMES), "PRIMARY", description, **options)


def emptied(longest: int, description: str, example: str, **options: Any) -> Text:
    """A text that may be emptied again."""
    return Text(longest, shortest=0, metadata={"description": description, "example": example}, **options)


class SmsCodeRequest(Schema):
    phone = phone(required=True)
    purpose = choice(contract.SMS_PURPOSES, "REGISTER", required=True)
    captcha = Text(
        4000,
        metadata={
            "description": "Solution of a challenge from `POST /captchas`: to register, or when refused without."
        },
    )


class SmsCodeSent(ma.Schema):
    expires_in_seconds = fields.Integer(metadata={"example": 300})
    resend_after_seconds = fields.Integer(metadata={"example": 60})


class EmailCodeSent(ma.Schema):
    expires_in_seconds = fields.Integer(metadata={"example": 1800})
    resend_after_seconds = fields.Integer(metadata={"example": 60})


class NewAccount(Schema):
    phone = phone(required=True)
    sms_code = sms_code(required=True)
    password = secret("Optional: without one the account signs in by SMS code.")
    identity = choice(contract.IDENTITIES, "TEACHER", load_default="TEACHER")


class Refresh(Schema):
    refresh_token = Text(200, required=True, metadata={"description": "Of the last answer; each works once."})


class NewPassword(Schema):
    """Proved by `current_password`, by `sms_code`, or by a sign-in by code within the last ten minutes."""

    password = secret("8 to 64 characters of more than one kind.", required=True)
    current_password = secret("The present one.")
    sms_code = sms_code()


class IdentityChoice(Schema):
    identity = choice(contract.IDENTITIES, "TEACHER", required=True)


class Grant(ma.Schema):
    role = fields.String(metadata={"example": "SCHOOL_ADMIN"})
    place = fields.String(metadata={"example": "CN/440000/440100/440103"})


class Account(ma.Schema):
    account_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    phone = fields.String(metadata={"description": "Masked.", "example": MASKED_PHONE})
    identities = fields.List(fields.String(), metadata={"example": ["TEACHER"]})
    active_identity = choice(contract.IDENTITIES, "TEACHER")
    has_password = fields.Boolean()
    locked = fields.Boolean(metadata={"description": "The password is refused until an administrator unlocks."})
    grants = fields.List(fields.Nested(Grant))
    registered_at = fields.String(metadata={"example": EXAMPLE_INSTANT})


class AccessToken(ma.Schema):
    access_token = fields.String(metadata={"description": "For `Authorization: Bearer …`."})
    expires_in_seconds = fields.Integer(metadata={"example": contract.ACCESS_TOKEN_SECONDS})


class Tokens(AccessToken):
    refresh_token = fields.String(metadata={"description": "Keep it safe; exchange it before the access token ends."})


class Registered(ma.Schema):
    account = fields.Nested(Account)
    tokens = fields.Nested(Tokens)


class SignedIn(Tokens):
    account = fields.Nested(Account)


class Switched(AccessToken):
    account = fields.Nested(Account)


class ProfileChanges(Schema):
    """Only what is given changes. After the school's verification name and ID stay as they are."""

    name = Text(60, metadata={"example": "张三"})
    id_type = choice(contract.ID_TYPES, "RESIDENT_ID")
    id_no = Text(30, metadata={"description": "Together with its type.", "example": "11010519491231002X"})
    gender = choice(contract.GENDERS, "2", "GB/T 2261.1; taken from the ID number when not given.")
    segment = segment()
    subject = Text(30, metadata={"description": "任教学科; in kindergarten always 幼教.", "example": "语文"})
    birth_date = emptied(10, "A day; the one in the ID number where that tells it.", "1949-12-31")
    ethnicity = emptied(20, "民族, by the code of GB/T 3304 or in Chinese.", "汉族")
    title = choice(("", *contract.person.TITLES), "FIRST_GRADE", "职称.")
    post_category = choice(("", *contract.person.POST_CATEGORIES), "TEACHER", "岗位类别.")
    employed_since = emptied(10, "The first day of work.", "2022-09-01")
    email = emptied(254, "Changed without review, like the two below.", "zhang@example.com")
    address = emptied(200, "通信地址.", "广州市天河区体育西路 1 号")
    nickname = emptied(30, "昵称.", "三丰")


class Draft(ma.Schema):
    """The changed fields only, the ID number masked."""

    name = fields.String(metadata={"example": "李四"})
    id_type = fields.String(metadata={"example": "RESIDENT_ID"})
    id_no = fields.String(metadata={"description": "Masked.", "example": "1101**********002X"})
    gender = fields.String(metadata={"example": "2"})
    segment = fields.String(metadata={"example": "PRIMARY"})
    subject = fields.String(metadata={"example": "语文"})
    birth_date = fields.String(metadata={"example": "1949-12-31"})
    ethnicity = fields.String(metadata={"example": "01"})
    title = fields.String(metadata={"example": "FIRST_GRADE"})
    post_category = fields.String(metadata={"example": "TEACHER"})
    employed_since = fields.String(metadata={"example": "2022-09-01"})


class Profile(ma.Schema):
    account_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    learner_no = fields.String(
        metadata={"description": "继续教育学号: from the school's verification on.", "example": "1000000000007"}
    )
    name = fields.String(metadata={"example": "张三"})
    id_type = fields.String(metadata={"example": "RESIDENT_ID"})
    id_no = fields.String(metadata={"description": "Masked.", "example": "1101**********002X"})
    phone = fields.String(metadata={"description": "Masked.", "example": MASKED_PHONE})
    gender = fields.String(metadata={"example": "2"})
    segment = fields.String(metadata={"example": "PRIMARY"})
    subject = fields.String(metadata={"example": "语文"})
    birth_date = fields.String(metadata={"example": "1949-12-31"})
    ethnicity = fields.String(metadata={"description": "GB/T 3304.", "example": "01"})
    title = fields.String(metadata={"example": "FIRST_GRADE"})
    post_category = fields.String(metadata={"example": "TEACHER"})
    employed_since = fields.String(metadata={"example": "2022-09-01"})
    on_probation = fields.Boolean(metadata={"description": "Within the first year of work."})
    email = fields.String(metadata={"example": "zhang@example.com"})
    email_confirmed = fields.Boolean(metadata={"description": "By a code that was sent there; warnings go there too."})
    address = fields.String(metadata={"example": "广州市天河区体育西路 1 号"})
    nickname = fields.String(metadata={"example": "三丰"})
    complete = fields.Boolean(metadata={"description": "Whether it suffices to enrol."})
    locked_fields = fields.List(fields.String(), metadata={"example": ["name", "id_type", "id_no"]})
    membership_state = fields.String(
        metadata={"description": "Of the school's verification, or empty.", "example": "PENDING"}
    )
    review_state = choice(contract.person.PROFILE_STATES, "CONFIRMED")
    return_reason = fields.String(metadata={"description": "Why the school sent it back, or empty.", "example": ""})
    draft = fields.Nested(Draft, metadata={"description": "What waits for the school's review."})


class Unlocked(ma.Schema):
    account_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    locked = fields.Boolean(metadata={"example": False})


class EmailCode(Schema):
    code = Text(12, required=True, metadata={"description": "From the mail.", "example": "012345"})


class MailboxQuery(Schema):
    phone = phone()
    email = Text(254, metadata={"description": "Of mail instead of text messages.", "example": "zhang@example.com"})
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100), metadata={"example": 20})


class MailboxMessage(ma.Schema):
    phone = fields.String(metadata={"description": "Masked; empty for mail.", "example": MASKED_PHONE})
    email = fields.String(metadata={"description": "Masked; empty for a text message.", "example": ""})
    text = fields.String(metadata={"example": "【研修】验证码 012345，5 分钟内有效。请勿告诉他人。"})
    code = fields.String(metadata={"example": "012345"})
    sent_at = fields.String(metadata={"example": EXAMPLE_INSTANT})


class Mailbox(ma.Schema):
    items = fields.List(fields.Nested(MailboxMessage))
