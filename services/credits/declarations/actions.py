"""Declaring, reviewing twice, and writing the hours into the ledger."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.credits import bulk, pack_files, schemes
from services.credits import queries as credit_queries
from services.credits.contract import declarations as contract
from services.credits.contract.declarations import DeclarationState as State
from services.credits.contract.declarations import DeclaredKind
from services.credits.contract.recognisers import recogniser_at
from services.credits.declarations import items, queries, rules
from services.credits.declarations.models import Declaration, DeclarationRound
from services.credits.declarations.policy import FINAL
from services.credits.declarations.rules import Act
from services.credits.models import Placement
from services.credits.reversing import standing_awards, take_back
from services.credits.rules import ledger
from services.credits.rules.pack import ItemPack
from services.credits.schemes import Scheme
from services.credits.sources import declaration_ref
from services.credits.verification.actions import require_open_year
from services.shared import audit, clock, outbox
from services.shared.actor import Role, covers
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.ids import new_id

TEXT = ("title", "institution", "started_on", "ended_on", "hour_type", "training_form", "note")
FIRST_REVIEWERS = frozenset({Role.SCHOOL_ADMIN})


def create_declaration(db: Session, call: Call, given: dict[str, Any]) -> Declaration:
    """A draft of the caller's own. Raises InvalidInput for a year, dates or hours that cannot be declared."""
    teacher_id = call.authorise_own()
    placement = _require_verified(db, teacher_id)
    table = _require_declarable(call, placement.place, given)
    if queries.count_of_year(db, teacher_id, given["year"]) >= rules.MOST_A_YEAR:
        raise LimitReached("credits.too_many_declarations")
    declaration = Declaration(
        declaration_id=new_id(),
        teacher_id=teacher_id,
        year=given["year"],
        kind=given["kind"],
        state=State.DRAFT,
        round=0,
        version=1,
        content=_content(given, table),
        created_at=call.now,
        changed_at=call.now,
    )
    db.add(declaration)
    db.flush()
    return declaration


def edit_declaration(db: Session, call: Call, declaration_id: uuid.UUID, given: dict[str, Any]) -> Declaration:
    """Change a draft, or one that was returned."""
    declaration = _own(db, call, declaration_id)
    table = _require_declarable(call, _require_verified(db, declaration.teacher_id).place, given)
    _move(db, call, declaration, Act.EDIT)
    declaration.year, declaration.kind, declaration.content = given["year"], given["kind"], _content(given, table)
    db.flush()
    return declaration


def submit_declaration(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    """Hand it to the own school: the next round begins."""
    declaration = _own(db, call, declaration_id)
    placement = _require_verified(db, declaration.teacher_id)
    _require_in_time(call, placement.place, declaration.year)
    require_open_year(db, declaration.teacher_id, declaration.year)
    _move(db, call, declaration, Act.SUBMIT)
    declaration.round += 1
    db.add(
        DeclarationRound(
            declaration_id=declaration.declaration_id,
            round=declaration.round,
            teacher_id=declaration.teacher_id,
            content={"year": declaration.year, "kind": declaration.kind, **declaration.content},
            submitted_at=call.now,
            first_reason="",
            final_reason="",
        )
    )
    db.flush()
    return declaration


def withdraw_declaration(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    declaration = _own(db, call, declaration_id)
    _move(db, call, declaration, Act.WITHDRAW)
    db.flush()
    return declaration


def pass_declaration(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    """The school's opinion is favourable; the department above decides."""
    declaration, before = _under_review(db, call, declaration_id), ""
    rules.require_reviewer(call.actor.account_id, declaration.teacher_id)
    before = declaration.state
    _move(db, call, declaration, Act.PASS)
    judged = queries.get_round(db, declaration)
    judged.first_outcome, judged.first_reviewer, judged.first_at = "PASS", call.actor.account_id, call.now
    _record(db, call, declaration, before)
    return declaration


def return_declaration(db: Session, call: Call, declaration_id: uuid.UUID, reason: str) -> Declaration:
    """Send it back to be declared again, by whoever's turn it is to review."""
    declaration = _under_review(db, call, declaration_id)
    before = State(declaration.state)
    rules.next_state(before, Act.RETURN)
    is_first = before is State.FIRST_REVIEW
    place = place_of(db, declaration.teacher_id)
    if is_first is not any(covers(at, place) for at in call.actor.places(FIRST_REVIEWERS)):
        # The school speaks first, the department last; neither in the other's place.
        raise NotAllowed("shared.not_allowed")
    judged = queries.get_round(db, declaration)
    others = [] if is_first else [judged.first_reviewer] if judged.first_reviewer else []
    rules.require_reviewer(call.actor.account_id, declaration.teacher_id, others)
    _move(db, call, declaration, Act.RETURN)
    if is_first:
        judged.first_outcome, judged.first_reviewer, judged.first_at = "RETURN", call.actor.account_id, call.now
        judged.first_reason = reason
    else:
        judged.final_outcome, judged.final_reviewer, judged.final_at = "RETURN", call.actor.account_id, call.now
        judged.final_reason = reason
    _record(db, call, declaration, before, reason)
    return declaration


def approve_declaration(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    """The final review: the hours become an entry of the ledger, once."""
    declaration = _under_review(db, call, declaration_id)
    judged = queries.get_round(db, declaration) if declaration.round else None
    first = [judged.first_reviewer] if judged and judged.first_reviewer else []
    rules.require_reviewer(call.actor.account_id, declaration.teacher_id, first)
    before = declaration.state
    _move(db, call, declaration, Act.APPROVE)
    _require_in_time(call, place_of(db, declaration.teacher_id), declaration.year)
    assert judged is not None  # what is in its final review has a round
    judged.final_outcome, judged.final_reviewer, judged.final_at = "APPROVE", call.actor.account_id, call.now
    credit_queries.lock_teacher_years(db, [(declaration.teacher_id, declaration.year)])
    require_open_year(db, declaration.teacher_id, declaration.year)
    placement = _require_verified(db, declaration.teacher_id)
    recognised_at = _reviewers_place(call, placement.place)
    declaration.recogniser = recogniser_at(recognised_at)
    db.flush()
    if "item" in declaration.content:
        scheme = schemes.find_scheme(placement.place, declaration.year)
        table = items.require_paid_here(scheme, declaration.year, declaration.content)
        items.settle(db, call, table, declaration.teacher_id, declaration.year, recognised_at)
    else:
        _append(db, [_entry(call, placement, declaration, recognised_at)])
    _record(db, call, declaration, before)
    return declaration


def void_declaration(db: Session, call: Call, declaration_id: uuid.UUID, reason: str) -> Declaration:
    """Take back what was recognised by mistake: a reversing entry, and everything stays readable."""
    declaration = _under_review(db, call, declaration_id)
    rules.require_reviewer(call.actor.account_id, declaration.teacher_id)
    before = declaration.state
    _move(db, call, declaration, Act.VOID)
    credit_queries.lock_teacher_years(db, [(declaration.teacher_id, declaration.year)])
    require_open_year(db, declaration.teacher_id, declaration.year)
    db.flush()
    for award in standing_awards(db, declaration.teacher_id, declaration_ref(declaration_id)):
        _append(db, take_back(db, award, f"taken back: {reason}", call.now, call.actor.key))
    if "item" in declaration.content and (table := items.table_named(declaration.content["item"]["table"])):
        at = _reviewers_place(call, place_of(db, declaration.teacher_id))
        items.settle(db, call, table, declaration.teacher_id, declaration.year, at)
    _record(db, call, declaration, before, reason)
    return declaration


def assess(db: Session, declaration: Declaration) -> dict[str, Any] | None:
    """What the declaration comes to: the entry that stands for it, or what approving it now would write; None for neither."""
    if declaration.state == State.APPROVED:
        awards = standing_awards(db, declaration.teacher_id, declaration_ref(declaration.declaration_id))
        if awards:
            return _told({name: getattr(awards[-1], name) for name in _ASSESSED})
    placement = db.get(Placement, declaration.teacher_id)
    if placement is None or declaration.state in (State.WITHDRAWN, State.VOIDED):
        return None
    scheme = schemes.find_scheme(placement.place, declaration.year)
    if "item" not in declaration.content:
        hours = Decimal(declaration.content["hours"])
        return _told(_recognised(scheme, DeclaredKind(declaration.kind), hours))
    try:
        table = items.require_paid_here(scheme, declaration.year, declaration.content)
        share = items.share_of(db, table, declaration)
    except Conflict:
        return None
    return _told(
        {
            "unit": table.unit,
            "amount": share.amount,
            "rule_id": share.rule_id,
            "pack_id": table.pack_id,
            "why": items.explained(share),
        }
    )


# --- parts -----------------------------------------------------------------------------------------------------------------


def _own(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    declaration = queries.lock_declaration(db, declaration_id)
    call.authorise(subject=declaration.teacher_id, missing=queries.MISSING)
    return declaration


def _under_review(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    """The declaration, if the caller reviews at the place where its teacher is now."""
    declaration = queries.lock_declaration(db, declaration_id)
    call.authorise(place=place_of(db, declaration.teacher_id), missing=queries.MISSING)
    if declaration.state == State.DRAFT:
        raise NotFound(queries.MISSING)  # a draft is its author's alone
    return declaration


def place_of(db: Session, teacher_id: uuid.UUID) -> str:
    return credit_queries.find_place(db, teacher_id) or ""


def _require_verified(db: Session, teacher_id: uuid.UUID) -> Placement:
    placement = db.get(Placement, teacher_id)
    if placement is None or placement.state != "VERIFIED":
        raise Conflict("credits.not_verified")
    return placement


_ASSESSED = ("unit", "amount", "rule_id", "pack_id", "why")


def _told(found: dict[str, Any]) -> dict[str, Any]:
    """With the rule in words and the standing of its pack: a SAMPLE is told as one to whoever decides by it."""
    try:
        pack = pack_files.load_pack(found["pack_id"])
    except pack_files.UnknownPackError:
        return {**found, "rule": None, "pack_status": ""}
    rule = pack.find_rule(found["rule_id"])
    return {**found, "rule": rule.text if rule else None, "pack_status": str(pack.status)}


def _require_declarable(call: Call, place: str, given: dict[str, Any]) -> ItemPack | None:
    """Raises InvalidInput for what cannot be declared; returns the table that pays it, None for hours."""
    today = call.now.astimezone(clock.BEIJING).date()
    hours = Decimal(given["hours"]) if given["hours"] is not None else None
    rules.require_declarable(given["year"], given["started_on"], given["ended_on"], hours, today)
    _require_in_time(call, place, given["year"])
    scheme = schemes.find_scheme(place, given["year"])
    table = items.find_table(scheme, given["year"], given["kind"], given["item"])
    if scheme is not None:
        label = given[scheme.pack.dimension]
        if label and label not in scheme.pack.categories:
            raise InvalidInput("credits.category_unknown", scheme.pack.dimension)
    return table


def _require_in_time(call: Call, place: str, year: int) -> None:
    if schemes.is_closed_for_entries(place, year, call.now.astimezone(clock.BEIJING).date()):
        raise Conflict("credits.declaration_late")


def _content(given: dict[str, Any], table: ItemPack | None) -> dict[str, Any]:
    text = {name: str(given[name]) for name in TEXT}
    if table is None:
        return {**text, "hours": given["hours"]}
    # The table says as what form of training its activities count.
    return {**text, "training_form": table.training_form, "item": items.kept(table, given["item"])}


def _move(db: Session, call: Call, declaration: Declaration, act: Act) -> None:
    declaration.state = rules.next_state(State(declaration.state), act)
    declaration.version += 1
    declaration.changed_at = call.now
    if act in rules.DECISIONS:
        payload = {
            "declaration_id": str(declaration.declaration_id),
            "teacher_id": str(declaration.teacher_id),
            "version": declaration.version,
            "state": str(declaration.state),
            "round": declaration.round,
        }
        outbox.announce(db, contract.DECLARATION_CHANGED, declaration.declaration_id, payload)


def _record(db: Session, call: Call, declaration: Declaration, before: str, reason: str = "") -> None:
    db.flush()
    audit.record(
        db,
        call,
        subject=declaration.teacher_id,
        place=place_of(db, declaration.teacher_id),
        reason=reason,
        before={"state": str(before)},
        after={
            "state": str(declaration.state),
            "declaration_id": str(declaration.declaration_id),
            "round": declaration.round,
        },
    )


def _entry(call: Call, placement: Placement, declaration: Declaration, recognised_at: str) -> dict[str, Any]:
    content, hours = declaration.content, Decimal(declaration.content["hours"])
    scheme = schemes.find_scheme(placement.place, declaration.year)
    recognised = _recognised(scheme, DeclaredKind(declaration.kind), hours)
    return {
        "teacher_id": declaration.teacher_id,
        "entry_id": new_id(),
        "source_ref": declaration_ref(declaration.declaration_id),
        "turn": 1,
        "evidence_version": declaration.round,
        "source_kind": declaration.kind,
        "programme_id": None,
        "hour_type": content["hour_type"],
        "training_form": content["training_form"],
        "year": declaration.year,
        "effective_on": content["ended_on"],
        "recorded_at": call.now,
        "school_id": placement.school_id,
        "place": placement.place,
        "reversal_of": None,
        "recognised_by": call.actor.key,
        "recognised_at": recognised_at,
        **recognised,
    }


def _recognised(scheme: Scheme | None, kind: DeclaredKind, hours: Decimal) -> dict[str, Any]:
    """Amount, unit and the rule that made it: converted where the place's pack counts in credits, never silently."""
    if scheme is None or kind is DeclaredKind.PROBATION:
        return {
            "rule_id": "DECLARED",
            "unit": "HOUR",
            "amount": hours,
            "pack_id": scheme.pack.pack_id if scheme else "",
            "pack_version": scheme.pack.version if scheme else "",
            "why": f"DECLARED: {hours} hours as reviewed",
        }
    amount, step = ledger.convert(scheme.pack, "HOUR", hours)
    told = (
        f"{step.rule_id}: {step.before} -> {step.after}, {step.why}" if step else f"DECLARED: {hours} hours as reviewed"
    )
    return {
        "rule_id": step.rule_id if step else "DECLARED",
        "unit": scheme.pack.unit,
        "amount": amount,
        "pack_id": scheme.pack.pack_id,
        "pack_version": scheme.pack.version,
        "why": told,
    }


def _reviewers_place(call: Call, place: str) -> str:
    """The nearest of the places from which the caller may recognise: who recognised, of the four levels."""
    return max((at for at in call.actor.places(FINAL.roles) if covers(at, place)), key=len, default="")


def _append(db: Session, entries: list[dict[str, Any]]) -> None:
    """Under the year's lock, so a missing row means that somebody else wrote this turn: nothing may be half done."""
    db.flush()
    if bulk.append_entries(db, entries) != len(entries):
        raise Conflict("credits.declaration_state")
