"""Bodies of the person's record: reviews, people found, merges, erasure, consents. Shape only; identity decides."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from gateway.schemas.identity import EXAMPLE_ID, EXAMPLE_INSTANT, EXAMPLE_PHONE, MASKED_PHONE, choice, segment, sms_code
from services.identity import contract

person = contract.person
EXAMPLE_PLACE = "CN/440000/440100/440103"
EXAMPLE_NUMBER = "1000000000007"
MASKED_ID = "1101**********002X"


def account_id(**options) -> fields.UUID:
    return fields.UUID(metadata={"example": EXAMPLE_ID}, **options)


def place(**options) -> Text:
    metadata = {"description": "A region or school of the own territory; all of it when left out."}
    return Text(120, metadata={**metadata, "example": EXAMPLE_PLACE}, **options)


def reason(**options) -> Text:
    metadata = {"description": "Kept in the audit trail; no names or numbers.", "example": "证件号有误"}
    return Text(200, metadata=metadata, **options)


def instant(description: str = "", **options) -> fields.String:
    return fields.String(metadata={"description": description, "example": EXAMPLE_INSTANT}, **options)


def id_no(**options) -> Text:
    metadata = {"description": "Full-width digits, blanks and a small x are taken.", "example": "11010519491231002X"}
    return Text(30, metadata=metadata, **options)


class MaskedPerson(ma.Schema):
    account_id = account_id()
    learner_no = fields.String(metadata={"description": "继续教育学号, or empty.", "example": EXAMPLE_NUMBER})
    name = fields.String(metadata={"description": "Masked.", "example": "张*"})
    id_type = fields.String(metadata={"example": "RESIDENT_ID"})
    id_no = fields.String(metadata={"description": "Masked.", "example": MASKED_ID})
    phone = fields.String(metadata={"description": "Masked.", "example": MASKED_PHONE})
    segment = fields.String(metadata={"example": "PRIMARY"})
    subject = fields.String(metadata={"example": "语文"})
    complete = fields.Boolean()
    locked = fields.Boolean()


# --- reviews ---


class Submitted(ma.Schema):
    review_state = choice(person.PROFILE_STATES, "SUBMITTED")
    round = fields.Integer(metadata={"description": "Counts the submissions.", "example": 1})


class ReviewQuery(Page):
    place = place()


class Review(MaskedPerson):
    round = fields.Integer(metadata={"description": "Give it back with the decision.", "example": 1})
    submitted_at = instant()
    waiting_days = fields.Integer(metadata={"example": 3})
    changes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "What would change, masked.", "example": {"name": "李*"}},
    )


class Reviews(PageReply):
    items = fields.List(fields.Nested(Review))


class Decision(Schema):
    account_id = account_id(required=True)
    round = Whole(
        required=True,
        validate=validate.Range(1, 1_000_000),
        metadata={"description": "The submission that was looked at.", "example": 1},
    )


class Decisions(Schema):
    decisions = fields.List(
        fields.Nested(Decision), required=True, validate=validate.Length(1, person.DECISIONS_AT_ONCE)
    )


class DecisionsAndReason(Decisions):
    reason = reason(required=True)


class DecidedRow(ma.Schema):
    account_id = account_id()
    outcome = choice(("DONE", "REFUSED"), "DONE")
    code = fields.String(metadata={"description": "Why a row was refused, or empty.", "example": ""})
    message = fields.String(metadata={"description": "The same for people.", "example": ""})


class DecidedRows(ma.Schema):
    rows = fields.List(fields.Nested(DecidedRow))


class Reason(Schema):
    reason = reason(required=True)


class Reopened(ma.Schema):
    account_id = account_id()
    review_state = choice(person.PROFILE_STATES, "EDITABLE")


class IdentityInClear(ma.Schema):
    name = fields.String(metadata={"example": "张三"})
    id_type = fields.String(metadata={"example": "RESIDENT_ID"})
    id_no = fields.String(metadata={"example": "11010519491231002X"})
    birth_date = fields.String(metadata={"example": "1949-12-31"})
    ethnicity = fields.String(metadata={"example": "01"})


class Revealed(ma.Schema):
    account_id = account_id()
    round = fields.Integer(metadata={"example": 1})
    before = fields.Nested(IdentityInClear)
    after = fields.Nested(IdentityInClear)


# --- finding ---


class PersonSearch(Schema):
    """Exactly one of phone, ID number, learner number and full name. In the body: none of them belongs into a URL."""

    phone = Text(32, metadata={"example": EXAMPLE_PHONE})
    id_type = choice(contract.ID_TYPES, "RESIDENT_ID", load_default="RESIDENT_ID")
    id_no = id_no()
    learner_no = Text(30, metadata={"example": EXAMPLE_NUMBER})
    name = Text(60, metadata={"description": "In full; dots, blanks and case do not matter.", "example": "张三"})
    place = place()
    cursor = fields.String(validate=validate.Length(max=500), metadata={"example": ""})
    limit = Whole(load_default=50, validate=validate.Range(1, 200), metadata={"example": 50})


class FoundPerson(MaskedPerson):
    membership_state = fields.String(metadata={"example": "VERIFIED"})
    school_id = fields.UUID(allow_none=True, metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"example": "实验小学"})
    review_state = choice(person.PROFILE_STATES, "CONFIRMED")


class FoundPeople(PageReply):
    items = fields.List(fields.Nested(FoundPerson))


class OwnAccountQuestion(Schema):
    name = Text(60, required=True, metadata={"example": "张三"})
    id_type = choice(contract.ID_TYPES, "RESIDENT_ID", load_default="RESIDENT_ID")
    id_no = id_no(required=True)


class OwnAccountAnswer(ma.Schema):
    found = fields.Boolean()
    phone = fields.String(metadata={"description": "Masked, or empty.", "example": MASKED_PHONE})


class Suspect(MaskedPerson):
    sign = choice(person.SIGNS_OF_ONE_PERSON, "NAME_AND_BIRTH_DATE")


class Suspects(ma.Schema):
    items = fields.List(fields.Nested(Suspect))


class FormerValue(ma.Schema):
    field = choice(("name", "id_no"), "id_no")
    value = fields.String(metadata={"description": "Masked.", "example": MASKED_ID})
    replaced_at = instant()
    cause = choice(("EDIT", "REVIEW", "MERGE"), "REVIEW")


class IdentityHistory(ma.Schema):
    account_id = account_id()
    items = fields.List(fields.Nested(FormerValue))


# --- merging ---


class NewMerge(Schema):
    kept_id = account_id(required=True)
    merged_id = account_id(required=True)
    phone_of = choice(person.MERGE_SIDES, "KEPT", "Whose phone the person goes on with.", required=True)
    document_of = choice(person.MERGE_SIDES, "KEPT", "Whose name and ID number are right.", required=True)
    id_type = choice(contract.ID_TYPES, "RESIDENT_ID", required=True)
    id_no = id_no(required=True)
    proof = choice(person.MERGE_PROOFS, "ORIGINAL", "How the document was seen.", required=True)
    reason = reason(required=True)


class SeenDocument(Schema):
    """The document that the approver has before him."""

    id_type = choice(contract.ID_TYPES, "RESIDENT_ID", required=True)
    id_no = id_no(required=True)


class MergeQuery(Page):
    state = choice(person.MERGE_STATES, "PROPOSED", load_default="PROPOSED")


class Merge(ma.Schema):
    merge_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    state = choice(person.MERGE_STATES, "PROPOSED")
    kept = fields.Nested(MaskedPerson)
    merged = fields.Nested(MaskedPerson)
    phone_of = choice(person.MERGE_SIDES, "KEPT")
    document_of = choice(person.MERGE_SIDES, "KEPT")
    proof = choice(person.MERGE_PROOFS, "ORIGINAL")
    reason = fields.String()
    proposed_by = account_id()
    proposed_at = instant()
    decided_by = account_id(allow_none=True)
    decided_at = instant(allow_none=True)
    decision_reason = fields.String()
    undo_until = instant(allow_none=True)
    undone_by = account_id(allow_none=True)
    undone_at = instant(allow_none=True)


class Merges(PageReply):
    items = fields.List(fields.Nested(Merge))


# --- erasure and consents ---


class ErasureProof(Schema):
    sms_code = sms_code(required=True)


class Erasure(ma.Schema):
    state = choice(("", "REQUESTED", "CANCELLED", "DONE"), "REQUESTED")
    requested_at = instant(allow_none=True)
    due_at = instant("When it happens unless it is taken back.", allow_none=True)
    ended_at = instant(allow_none=True)


class ConsentText(ma.Schema):
    kind = choice(person.CONSENT_KINDS, "PRIVACY")
    version = fields.String(metadata={"example": "2022-12-01"})
    zh = fields.String()
    en = fields.String()
    digest = fields.String(metadata={"description": "SHA-256 of the version and both texts."})


class ConsentTexts(ma.Schema):
    items = fields.List(fields.Nested(ConsentText))


class ConsentAnswer(Schema):
    kind = choice(person.CONSENT_KINDS, "PRIVACY", required=True)
    version = Text(20, required=True, metadata={"description": "Of the text shown.", "example": "2022-12-01"})
    given = fields.Boolean(required=True, truthy={True}, falsy={False})


class ConsentStanding(ma.Schema):
    kind = choice(person.CONSENT_KINDS, "PRIVACY")
    version = fields.String(metadata={"description": "In force.", "example": "2022-12-01"})
    given = fields.Boolean(metadata={"description": "Of this version."})


class ConsentEntry(ma.Schema):
    kind = choice(person.CONSENT_KINDS, "PRIVACY")
    version = fields.String(metadata={"example": "2022-12-01"})
    given = fields.Boolean()
    at = instant()


class Consents(ma.Schema):
    items = fields.List(fields.Nested(ConsentStanding))
    history = fields.List(fields.Nested(ConsentEntry))


# --- adding a teacher ---


class NewTeacher(Schema):
    name = Text(60, required=True, metadata={"example": "张三"})
    id_type = choice(contract.ID_TYPES, "RESIDENT_ID", load_default="RESIDENT_ID")
    id_no = id_no(required=True)
    phone = Text(32, required=True, metadata={"example": EXAMPLE_PHONE})
    segment = segment(required=True)
    subject = Text(30, shortest=0, load_default="", metadata={"example": "语文"})


class AddedTeacher(ma.Schema):
    account_id = account_id()
    learner_no = fields.String(metadata={"example": EXAMPLE_NUMBER})
    created = fields.Boolean(metadata={"description": "False for who had an account already."})
    membership_state = fields.String(metadata={"example": "VERIFIED"})
