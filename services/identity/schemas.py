"""Arguments and replies of identity's methods. Unknown fields, wrong types and unprintable text are refused."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from services.identity import contract
from services.shared.fields import is_plain_line

ROW_NUMBERS = range(1, 10_000_001)


class Arguments(Schema):
    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Printable text; surrounding blanks are dropped unless `strip=False` (passwords)."""

    def __init__(self, longest: int, *, shortest: int = 1, strip: bool = True, **options: Any) -> None:
        super().__init__(validate=validate.Length(shortest, longest), **options)
        self.shortest, self.longest = shortest, longest
        self._strip = strip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        if not is_plain_line(text):
            raise ValidationError("Holds characters that are not allowed.")
        return text.strip() if self._strip else text


def choice(values: tuple[str, ...], **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(values), **options)


def phone_text(**options: Any) -> Text:
    return Text(32, **options)


def password_text(**options: Any) -> Text:
    # Longer than the rule allows, so that the rule's own message answers; bounded, because it will be hashed.
    return Text(256, strip=False, **options)


def code_text(**options: Any) -> Text:
    return Text(12, **options)


class RequestSmsCode(Arguments):
    phone = phone_text(required=True)
    purpose = choice(contract.SMS_PURPOSES, required=True)
    captcha = Text(4000)


class RegisterAccount(Arguments):
    phone = phone_text(required=True)
    sms_code = code_text(required=True)
    password = password_text()
    identity = choice(contract.IDENTITIES, load_default="TEACHER")
    user_agent = Text(400, shortest=0, load_default="")


class UpdateProfile(Arguments):
    name = Text(60)
    id_type = choice(contract.ID_TYPES)
    id_no = Text(30)
    gender = choice(contract.GENDERS)
    segment = Text(20)
    subject = Text(30)
    # These may be emptied again.
    birth_date = Text(10, shortest=0)
    ethnicity = Text(20, shortest=0)
    title = choice(("", *contract.person.TITLES))
    post_category = choice(("", *contract.person.POST_CATEGORIES))
    employed_since = Text(10, shortest=0)
    email = Text(254, shortest=0)
    address = Text(200, shortest=0)
    nickname = Text(30, shortest=0)


class SwitchIdentity(Arguments):
    identity = choice(contract.IDENTITIES, required=True)


class OneAccount(Arguments):
    account_id = fields.UUID(required=True)


class ManyAccounts(Arguments):
    account_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, contract.PEOPLE_AT_ONCE))


class ImportPeople(Arguments):
    # Rows are judged one by one in the action: a bad one must not refuse its neighbours.
    rows = fields.List(fields.Dict(), required=True, validate=validate.Length(1, contract.IMPORT_ROWS_AT_ONCE))


class ImportRow(Arguments):
    row = fields.Integer(required=True, strict=True, validate=validate.Range(ROW_NUMBERS.start, ROW_NUMBERS.stop - 1))
    name = Text(60, required=True)
    id_type = choice(contract.ID_TYPES, load_default="RESIDENT_ID")
    id_no = Text(30, required=True)
    phone = phone_text(required=True)
    segment = Text(20, required=True)
    subject = Text(30, shortest=0, load_default="")


_ROW = ImportRow()
_ROW_TEXTS = tuple((name, each) for name, each in _ROW.fields.items() if isinstance(each, Text))


def load_import_row(row: dict[str, Any]) -> dict[str, Any]:
    """As `ImportRow().load`, which is asked only about a row that is not plainly right: it costs twenty times as much."""
    return _plain_row(row) or _ROW.load(row)


def _plain_row(row: dict[str, Any]) -> dict[str, Any] | None:
    """The row as `ImportRow` would load it when that is plain to see: printable text of the right lengths, nothing else."""
    number, id_type = row.get("row"), row.get("id_type", "RESIDENT_ID")
    if type(number) is not int or number not in ROW_NUMBERS or id_type not in contract.ID_TYPES:
        return None
    loaded = {"row": number, "id_type": id_type}
    for name, field in _ROW_TEXTS:
        text = row.get(name, field.load_default)
        if (
            type(text) is not str
            or not text.isprintable()
            or not field.shortest <= len(text := text.strip()) <= field.longest
        ):
            return None
        loaded[name] = text
    return loaded if row.keys() <= loaded.keys() else None


class ListDevelopmentMessages(Arguments):
    phone = phone_text()
    email = Text(254)
    limit = fields.Integer(strict=True, load_default=20, validate=validate.Range(1, 100))


class Nothing(Arguments):
    """For methods without arguments."""


class GrantShown(Schema):
    role = fields.String()
    place = fields.String()


class Account(Schema):
    account_id = fields.UUID()
    phone = fields.String()
    identities = fields.List(fields.String())
    active_identity = fields.String()
    has_password = fields.Boolean()
    locked = fields.Boolean()
    grants = fields.List(fields.Nested(GrantShown))
    registered_at = fields.String()


class Profile(Schema):
    account_id = fields.UUID()
    learner_no = fields.String()
    name = fields.String()
    id_type = fields.String()
    id_no = fields.String()
    phone = fields.String()
    gender = fields.String()
    segment = fields.String()
    subject = fields.String()
    birth_date = fields.String()
    ethnicity = fields.String()
    title = fields.String()
    post_category = fields.String()
    employed_since = fields.String()
    on_probation = fields.Boolean()
    email = fields.String()
    email_confirmed = fields.Boolean()
    address = fields.String()
    nickname = fields.String()
    complete = fields.Boolean()
    locked_fields = fields.List(fields.String())
    membership_state = fields.String()
    review_state = fields.String()
    return_reason = fields.String()
    draft = fields.Dict(keys=fields.String(), values=fields.String())


class Person(Schema):
    """Somebody as an administrator sees them: masked."""

    account_id = fields.UUID()
    learner_no = fields.String()
    name = fields.String()
    id_type = fields.String()
    id_no = fields.String()
    phone = fields.String()
    segment = fields.String()
    subject = fields.String()
    complete = fields.Boolean()
    locked = fields.Boolean()


class Holder(Schema):
    account_id = fields.UUID()
    name = fields.String()
    masked_name = fields.String()
    id_type = fields.String()
    masked_id_no = fields.String()


class RevocationShown(Schema):
    account_id = fields.UUID()
    session_id = fields.UUID(allow_none=True)
    not_before = fields.String()
