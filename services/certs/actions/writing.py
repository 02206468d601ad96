"""Writing one edition of a certificate: the holder sealed, the statement in its canonical form, and signed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import secrets
import uuid
from decimal import Decimal
from typing import Any

from services.certs import rules
from services.certs.offline import Seal
from services.certs.rules import State
from services.certs.signing import Signer
from services.shared.crypto import FieldCipher
from services.shared.ids import new_id

SALT_BYTES = 16
SEALED_FIELD = ("certificate", "holder_sealed")


@dataclasses.dataclass(frozen=True)
class Office:
    """What issuing needs besides the database: the signature and the seal for names."""

    signer: Signer
    cipher: FieldCipher


@dataclasses.dataclass(frozen=True)
class Holder:
    """The person on a certificate, and the salt that keeps the public digest from being completed by trying."""

    name: str
    salt: bytes

    @classmethod
    def named(cls, name: str) -> Holder:
        return cls(name, secrets.token_bytes(SALT_BYTES))

    @property
    def masked(self) -> str:
        return rules.mask_name(self.name)

    @property
    def digest(self) -> str:
        return rules.holder_digest(self.name, self.salt)

    def seal(self, cipher: FieldCipher, certificate_id: uuid.UUID) -> str:
        text = json.dumps({"name": self.name, "salt": self.salt.hex()}, ensure_ascii=False)
        return cipher.seal(text, SEALED_FIELD[0], certificate_id, SEALED_FIELD[1])

    @classmethod
    def unseal(cls, cipher: FieldCipher, sealed: str, certificate_id: uuid.UUID) -> Holder:
        """Raises SealError."""
        opened = json.loads(cipher.open(sealed, SEALED_FIELD[0], certificate_id, SEALED_FIELD[1]))
        return cls(opened["name"], bytes.fromhex(opened["salt"]))


def certificate_row(
    office: Office,
    statement: rules.Statement,
    holder: Holder,
    *,
    teacher_id: uuid.UUID,
    programme_id: uuid.UUID,
    template: str,
    issued_at: dt.datetime,
) -> dict[str, Any]:
    """A row of the certificate table; what it repeats of the statement is what was signed."""
    certificate_id, text = new_id(), rules.canonical(statement)
    return {
        "certificate_id": certificate_id,
        "number": statement.number,
        "edition": statement.edition,
        "kind": statement.kind,
        "teacher_id": teacher_id,
        "programme_id": programme_id,
        "state": State.ISSUED,
        "holder_sealed": holder.seal(office.cipher, certificate_id),
        "school_name": statement.school_name,
        "hours": Decimal(statement.hours),
        "template": template,
        "statement": text.decode(),
        "signature": office.signer.sign(text),
        "key_id": office.signer.key_id,
        "seal": office.signer.sign(Seal.of(statement).signed_text()),
        "issued_at": issued_at,
    }
