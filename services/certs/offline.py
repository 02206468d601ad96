"""What the QR code holds besides the address: a few facts and a signature, to be checked without asking anybody.

A scanned code reads `<base URL>/verify/<number>#<facts>.<signature>.<key id>`, all three base64url without padding but the
key id. A browser sends nothing after `#` to a server; whoever has the published keys checks it without a network. What
such a check cannot know is what happened since: whether the certificate was replaced or revoked.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from typing import Protocol

from services.certs.rules import Statement
from services.shared import clock

# What is signed begins with this line, so that no other signature of ours can be passed off as a seal.
FORMAT = b"yanxiu.certificate-seal/1\n"
_LONGEST = 2000
_LONGEST_KEY_ID = 64


class SealError(ValueError):
    """What was scanned is no seal, or not one of ours; the message says what is wrong with it."""


class Checks(Protocol):
    """Knows the keys that sign (`signing.Verifier`)."""

    def is_genuine(self, statement: bytes, signature: str, key_id: str) -> bool: ...


@dataclasses.dataclass(frozen=True)
class Seal:
    """The facts in the QR code: enough to hold against the paper. The name is masked, as everything public."""

    number: str
    edition: int
    kind: str
    hours: str
    issued_on: str  # the Beijing day
    programme_code: str
    holder_masked: str

    @classmethod
    def of(cls, statement: Statement) -> Seal:
        """What a certificate's QR code tells."""
        issued = clock.parse_instant(statement.issued_at).astimezone(clock.BEIJING)
        return cls(
            number=statement.number,
            edition=statement.edition,
            kind=statement.kind,
            hours=statement.hours,
            issued_on=issued.date().isoformat(),
            programme_code=statement.programme_code,
            holder_masked=statement.holder_masked,
        )

    def signed_text(self) -> bytes:
        """What the signature is over. The facts come in one order, the free text last."""
        return FORMAT + self.text()

    def compose(self, signature: str, key_id: str) -> str:
        """What follows the `#`."""
        return f"{_encode(self.text())}.{signature}.{key_id}"

    def text(self) -> bytes:
        facts = dataclasses.astuple(self)
        return json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()


def check_seal(scanned: str, verifier: Checks) -> Seal:
    """The facts of a scanned code, whose signature is one of ours.

    `scanned` is the whole address or what follows its `#`. Raises SealError for anything else: another form, an altered
    fact or signature, an unknown key, facts that belong to another number than the address names.
    """
    if len(scanned) > _LONGEST:
        raise SealError("too long for a certificate's QR code")
    address, _, fragment = scanned.strip().rpartition("#")
    parts = fragment.split(".")
    if len(parts) != 3 or not 0 < len(parts[2]) <= _LONGEST_KEY_ID:
        raise SealError("not the form of a seal: three parts, divided by points")
    seal = _read(parts[0])
    if not verifier.is_genuine(seal.signed_text(), parts[1], parts[2]):
        raise SealError("the signature is not of these facts, or by none of the keys")
    if address and address.rstrip("/").rpartition("/")[2] != seal.number:
        raise SealError("the address names another certificate than the seal")
    return seal


def _read(encoded: str) -> Seal:
    try:
        facts = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        seal = Seal(*facts) if isinstance(facts, list) else None
        # One seal has one text: what reads alike but is written otherwise was written by somebody else.
        if seal is not None and _encode(seal.text()) == encoded:
            return seal
    except (binascii.Error, ValueError, TypeError, RecursionError):
        pass
    raise SealError("the facts cannot be read")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
