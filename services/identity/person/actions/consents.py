"""The ledger of consents: which text, in which version, was agreed to or taken back, and when (PIPL 13-17)."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from services.identity.person import queries
from services.identity.person.models import Consent
from services.shared import clock
from services.shared.bus import Call
from services.shared.errors import Conflict
from services.shared.ids import new_id
from services.shared.yaml_files import read_yaml

SENSITIVE = "SENSITIVE"
TEXTS = Path(__file__).resolve().parents[1] / "consents.yaml"


@functools.cache
def current_texts() -> dict[str, dict[str, str]]:
    """The texts in force, by kind, each with the digest of what is shown."""
    return {text["kind"]: {**text, "digest": _digest(text)} for text in read_yaml(TEXTS).content}


def record_consent(db: Session, call: Call, kind: str, version: str, *, given: bool) -> dict[str, Any]:
    """Add the caller's answer to a text. The answer that holds already is not written twice.

    Raises Conflict("identity.consent_outdated") when another version of the text is in force: that one was not shown.
    """
    account_id = call.authorise_own()
    text = current_texts()[kind]
    if version != text["version"]:
        raise Conflict("identity.consent_outdated", "version")
    # Two answers at once: the second waits and sees the first.
    queries.lock_consents(db, account_id)
    newest = queries.find_consent(db, account_id, kind)
    if newest is None or (newest.given, newest.text_digest) != (given, text["digest"]):
        answer = {"text_version": version, "text_digest": text["digest"], "given": given}
        db.add(Consent(id=new_id(), account_id=account_id, kind=kind, at=call.now, **answer))
        db.flush()
    return show_consents(db, call)


def require_agreed(kind: str, version: str) -> dict[str, str]:
    """The text in force, which whoever acts says to have agreed to in this version, perhaps without an account.

    Raises Conflict: "identity.consent_needed" without an answer, "identity.consent_outdated" for another version.
    """
    text = current_texts()[kind]
    if not version:
        raise Conflict("identity.consent_needed", "consent_version")
    if version != text["version"]:
        raise Conflict("identity.consent_outdated", "consent_version")
    return text


def show_consents(db: Session, call: Call) -> dict[str, Any]:
    """Where the caller stands with each text, and every answer so far."""
    answers = queries.list_consents(db, call.authorise_own())
    newest = {answer.kind: answer for answer in answers}
    return {
        "items": [
            {
                "kind": kind,
                "version": text["version"],
                # Agreeing to a former version is not agreeing to this one.
                "given": kind in newest and newest[kind].given and newest[kind].text_digest == text["digest"],
            }
            for kind, text in current_texts().items()
        ],
        "history": [
            {
                "kind": answer.kind,
                "version": answer.text_version,
                "given": answer.given,
                "at": clock.format_instant(answer.at),
            }
            for answer in answers
        ],
    }


def _digest(text: dict[str, str]) -> str:
    return hashlib.sha256("\0".join((text["version"], text["zh"], text["en"])).encode()).hexdigest()
