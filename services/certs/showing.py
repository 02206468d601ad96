"""What certs shows of a certificate: to its holder, to administrators, and to strangers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.certs import contract, rules
from services.certs.contract import PublicState
from services.certs.models import Certificate, CertificateHistory, Decision, Programme, Standing
from services.certs.rules import Reason, State
from services.shared.errors import NotFound

PUBLIC_STATES = {
    State.ISSUED: PublicState.VALID,
    State.REPLACED: PublicState.REPLACED,
    State.REVOKED: PublicState.REVOKED,
}


def read_number(typed: str) -> str:
    """The number that was meant. Raises NotFound("certs.number_malformed") for what cannot be one."""
    try:
        return rules.parse_number(typed)
    except rules.NumberError as error:
        raise NotFound("certs.number_malformed", "number", str(error)) from None


def try_number(typed: str) -> str | None:
    """As `read_number`, but None for what cannot be a number."""
    try:
        return rules.parse_number(typed)
    except rules.NumberError:
        return None


def answer(typed: str, number: str | None, known: Mapping[str, dict[str, Any] | None]) -> dict[str, Any]:
    """What is told of one number among many: its certificate, or the code of the refusal that it would get alone."""
    if number is None:
        return {"typed": typed, "code": "certs.number_malformed", "found": None}
    found = known[number]
    return {"typed": typed, "code": "" if found else "certs.number_unknown", "found": found}


def summary(certificate: Certificate, base_url: str) -> dict[str, Any]:
    """One line of the wallet."""
    signed = json.loads(certificate.statement)
    return {
        "certificate_id": certificate.certificate_id,
        "number": rules.format_number(certificate.number),
        "edition": certificate.edition,
        "kind": certificate.kind,
        "state": PUBLIC_STATES[State(certificate.state)],
        "programme": {
            "programme_id": certificate.programme_id,
            "code": signed["programme_code"],
            "title_zh": signed["programme_zh"],
            "title_en": signed["programme_en"],
        },
        "school_name": certificate.school_name,
        "hours": certificate.hours,
        "issued_at": certificate.issued_at,
        "verification_url": contract.verification_url(base_url, certificate.number),
    }


def detail(
    certificate: Certificate, holder_name: str, history: Sequence[CertificateHistory], base_url: str
) -> dict[str, Any]:
    """The whole certificate, with the signed statement and what happened to it."""
    return {
        **summary(certificate, base_url),
        "teacher_id": certificate.teacher_id,
        "holder_name": holder_name,
        "statement": certificate.statement,
        "signature": certificate.signature,
        "key_id": certificate.key_id,
        "history": _changes([certificate], history),
    }


def verification(editions: Sequence[Certificate], history: Sequence[CertificateHistory]) -> dict[str, Any]:
    """What a stranger learns of a number: its newest edition, and what happened to all of them. The name only masked.

    `history` may hold lines of other certificates.
    """
    newest = editions[0]
    return {
        **json.loads(newest.statement),
        "holder_name": masked_name(newest),
        "number": rules.format_number(newest.number),
        "state": PUBLIC_STATES[State(newest.state)],
        "history": _changes(editions, history),
        "statement": newest.statement,
        "signature": newest.signature,
        "key_id": newest.key_id,
    }


def masked_name(certificate: Certificate) -> str:
    return str(json.loads(certificate.statement)["holder_masked"])


def standing(programme: Programme, found: Standing | None, decision: Decision | None) -> dict[str, Any]:
    """Where a teacher stands: the decision, or what it waits for."""
    facts = found.facts if found else rules.NO_STANDING
    shown = {
        "programme_id": programme.programme_id,
        "hours": facts.hours,
        "courses_done": facts.courses_done,
        "courses_total": facts.courses_total,
        "certificate_id": decision.certificate_id if decision else None,
        "decided_at": decision.decided_at if decision else None,
    }
    if decision:
        return {**shown, "state": decision.state, "reasons": decision.reasons}
    if found and programme.due_at:
        return {**shown, "state": State.NOT_DUE, "reasons": [Reason.DECISION_PENDING]}
    # Without a standing nothing will be decided: say at once what a decision would be.
    verdict = rules.decide(State.NOT_DUE, facts, due=programme.due_at is not None, verified=False)
    return {**shown, "state": verdict.state, "reasons": verdict.reasons}


def _changes(editions: Sequence[Certificate], history: Sequence[CertificateHistory]) -> list[dict[str, Any]]:
    edition_of = {certificate.certificate_id: certificate.edition for certificate in editions}
    return [
        {"state": PUBLIC_STATES[State(row.state)], "at": row.at, "edition": edition_of[row.certificate_id]}
        for row in history
        if row.certificate_id in edition_of
    ]
