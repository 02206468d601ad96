"""Arguments and replies of identity/person."""

from __future__ import annotations

from marshmallow import fields, validate

from services.identity import contract
from services.identity.schemas import Arguments, Person, Text, choice, code_text, phone_text
from services.shared.fields import Instant
from services.shared.paging import Page

REASON_LENGTH = 200


def reason_text(**options) -> Text:
    return Text(REASON_LENGTH, **options)


def place_text(**options) -> fields.String:
    return fields.String(validate=validate.Regexp(r"\ACN(/[A-Za-z0-9-]{1,40}){0,8}\Z"), **options)


class YesOrNo(fields.Boolean):
    """true or false themselves: marshmallow would take 1, which equals true."""

    def _deserialize(self, value, attr, data, **options):
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class ReviewCursor(Arguments):
    submitted_at = fields.AwareDateTime(required=True)
    account_id = fields.UUID(required=True)


class ListReviews(Page, Arguments):
    place = place_text(load_default=None, allow_none=True)
    cursor = fields.Nested(ReviewCursor, load_default=None, allow_none=True)


class Decision(Arguments):
    account_id = fields.UUID(required=True)
    round = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))


class DecideReviews(Arguments):
    decisions = fields.List(
        fields.Nested(Decision),
        required=True,
        validate=validate.Length(1, contract.person.DECISIONS_AT_ONCE),
    )


class ReturnReviews(DecideReviews):
    reason = reason_text(required=True)


class AccountAndReason(Arguments):
    account_id = fields.UUID(required=True)
    reason = reason_text(required=True)


class ReviewShown(Person):
    round = fields.Integer()
    submitted_at = Instant()
    waiting_days = fields.Integer()
    changes = fields.Dict(keys=fields.String(), values=fields.String())


class Submitted(Arguments):
    review_state = fields.String()
    round = fields.Integer()


class Reopened(Arguments):
    account_id = fields.UUID()
    review_state = fields.String()


class DecidedRow(Arguments):
    account_id = fields.UUID()
    outcome = fields.String()
    code = fields.String()


class Revealed(Arguments):
    account_id = fields.UUID()
    round = fields.Integer()
    before = fields.Dict(keys=fields.String(), values=fields.String())
    after = fields.Dict(keys=fields.String(), values=fields.String())


class SearchCursor(Arguments):
    place = fields.String(required=True)
    account_id = fields.UUID(required=True)


class SearchPeople(Page, Arguments):
    """Exactly one of the four things that a person is looked for by."""

    phone = phone_text()
    id_type = choice(contract.ID_TYPES, load_default="RESIDENT_ID")
    id_no = Text(30)
    learner_no = Text(30)
    name = Text(60)
    place = place_text(load_default=None, allow_none=True)
    cursor = fields.Nested(SearchCursor, load_default=None, allow_none=True)


class ProposeMerge(Arguments):
    kept_id = fields.UUID(required=True)
    merged_id = fields.UUID(required=True)
    phone_of = choice(contract.person.MERGE_SIDES, required=True)
    document_of = choice(contract.person.MERGE_SIDES, required=True)
    # As the document says that was shown.
    id_type = choice(contract.ID_TYPES, required=True)
    id_no = Text(30, required=True)
    proof = choice(contract.person.MERGE_PROOFS, required=True)
    reason = reason_text(required=True)


class ApproveMerge(Arguments):
    merge_id = fields.UUID(required=True)
    id_type = choice(contract.ID_TYPES, required=True)
    id_no = Text(30, required=True)


class MergeAndReason(Arguments):
    merge_id = fields.UUID(required=True)
    reason = reason_text(required=True)


class OneMerge(Arguments):
    merge_id = fields.UUID(required=True)


class ListMerges(Page, Arguments):
    state = choice(contract.person.MERGE_STATES, load_default="PROPOSED")
    cursor = fields.UUID(load_default=None, allow_none=True)


class MergeShown(Arguments):
    merge_id = fields.UUID()
    state = fields.String()
    kept = fields.Nested(Person)
    merged = fields.Nested(Person)
    phone_of = fields.String()
    document_of = fields.String()
    proof = fields.String()
    reason = fields.String()
    proposed_by = fields.UUID()
    proposed_at = Instant()
    decided_by = fields.UUID(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision_reason = fields.String()
    undo_until = Instant(allow_none=True)
    undone_by = fields.UUID(allow_none=True)
    undone_at = Instant(allow_none=True)


class AskForOwnAccount(Arguments):
    name = Text(60, required=True)
    id_type = choice(contract.ID_TYPES, load_default="RESIDENT_ID")
    id_no = Text(30, required=True)


class Suspect(Person):
    sign = fields.String()


class FormerValue(Arguments):
    field = fields.String()
    value = fields.String()
    replaced_at = Instant()
    cause = fields.String()


class IdentityHistory(Arguments):
    account_id = fields.UUID()
    items = fields.List(fields.Nested(FormerValue))


class RequestErasure(Arguments):
    sms_code = code_text(required=True)


class RecordConsent(Arguments):
    kind = choice(contract.person.CONSENT_KINDS, required=True)
    version = Text(20, required=True)
    given = YesOrNo(required=True)


class AddTeacher(Arguments):
    # Judged by the import's own rules, which name the field.
    name = Text(60, required=True)
    id_type = choice(contract.ID_TYPES, load_default="RESIDENT_ID")
    id_no = Text(30, required=True)
    phone = phone_text(required=True)
    segment = Text(20, required=True)
    subject = Text(30, shortest=0, load_default="")
