"""Opening a certificate for its holder, checking it against its signature, and keeping the PDF made of it."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs import rules
from services.certs.actions.writing import Holder
from services.certs.models import Certificate, Document
from services.certs.offline import Seal
from services.certs.rendering import Paper
from services.certs.rules import State
from services.certs.signing import Verifier
from services.shared import clock
from services.shared.crypto import FieldCipher, SealError
from services.shared.errors import Conflict
from services.shared.storage import StoredFile

log = structlog.get_logger(__name__)

AREA = "certificates"  # of the storage
# As long as real ones.
NO_STATEMENT, NO_SIGNATURE = b"-" * 500, "A" * 86


def open_holder(cipher: FieldCipher, certificate: Certificate) -> Holder:
    """The holder's name and the salt of its digest.

    Raises Conflict: "certs.holder_erased" when the person asked to be forgotten, "certs.record_damaged".
    """
    if not certificate.holder_sealed:
        raise Conflict("certs.holder_erased")
    try:
        return Holder.unseal(cipher, certificate.holder_sealed, certificate.certificate_id)
    except SealError as error:
        log.error("certificate_damaged", certificate_id=str(certificate.certificate_id), error=str(error))  # noqa: TRY400
        raise Conflict("certs.record_damaged") from None


def is_genuine(verifier: Verifier, certificate: Certificate | None) -> bool:
    """Whether the stored row says what was signed: the statement, and what the row repeats of it.

    Without a row it is not, after the same work: the time that an unknown number takes gives nothing away.
    """
    if certificate is None:
        verifier.is_genuine(NO_STATEMENT, NO_SIGNATURE, next(iter(verifier.keys)))
        return False
    signed = certificate.statement.encode()
    fields = json.loads(signed)
    repeated = (certificate.number, certificate.edition, certificate.school_name, str(certificate.hours))
    genuine = verifier.is_genuine(signed, certificate.signature, certificate.key_id) and repeated == (
        fields["number"],
        fields["edition"],
        fields["school_name"],
        fields["hours"],
    )
    if not genuine:
        log.error("certificate_not_genuine", certificate_id=str(certificate.certificate_id))
    return genuine


def require_genuine(verifier: Verifier, certificate: Certificate) -> None:
    """Raises Conflict("certs.record_damaged") for a row that does not say what was signed."""
    if not is_genuine(verifier, certificate):
        raise Conflict("certs.record_damaged")


def prepare_paper(cipher: FieldCipher, verifier: Verifier, certificate: Certificate, base_url: str) -> Paper:
    """What to print, taken from the signed statement.

    Raises Conflict: "certs.already_replaced" or "certs.already_revoked" when it is no longer valid,
    "certs.record_damaged" when row, name and signatures do not belong together.
    """
    if certificate.state != State.ISSUED:
        raise Conflict(rules.TransitionError(State(certificate.state), State.ISSUED).code)
    holder = open_holder(cipher, certificate)
    require_genuine(verifier, certificate)
    signed = rules.read_statement(certificate.statement)
    seal = _seal(verifier, signed, certificate)
    if seal is None or signed.holder_digest != holder.digest:
        raise Conflict("certs.record_damaged")
    return Paper(
        number=certificate.number,
        holder_name=holder.name,
        school_name=certificate.school_name,
        programme_zh=signed.programme_zh,
        programme_en=signed.programme_en,
        opens_on=dt.date.fromisoformat(signed.opens_on),
        closes_on=dt.date.fromisoformat(signed.closes_on),
        hours=certificate.hours,
        issued_at=clock.parse_instant(signed.issued_at),
        base_url=base_url,
        template=certificate.template,
        seal=seal,
        kind=signed.kind,
        code=signed.programme_code,
        issuer=signed.issuer,
    )


def _seal(verifier: Verifier, signed: rules.Statement, certificate: Certificate) -> str | None:
    """What follows the address in the QR code: "" of a certificate without a seal, None when the seal is not genuine."""
    if certificate.seal is None:
        return ""
    seal = Seal.of(signed)
    if not verifier.is_genuine(seal.signed_text(), certificate.seal, certificate.key_id):
        return None
    return seal.compose(certificate.seal, certificate.key_id)


def keep_document(db: Session, certificate: Certificate, file: StoredFile, now: dt.datetime) -> Document:
    """Record the PDF. Two requests may have rendered at once: the first one recorded is the document, for both."""
    db.execute(
        insert(Document)
        .values(
            certificate_id=certificate.certificate_id,
            teacher_id=certificate.teacher_id,
            storage_key=file.key,
            sha256=file.sha256,
            size=file.size,
            rendered_at=now,
        )
        .on_conflict_do_nothing()
    )
    return db.scalars(sa.select(Document).where(Document.certificate_id == certificate.certificate_id)).one()


def keep_living(db: Session, certificate_id: uuid.UUID, file: StoredFile, now: dt.datetime) -> Document | None:
    """As `keep_document`, for a PDF that nobody waits for; None when the certificate ended, or its person was erased, meanwhile."""
    # Locked: an erasure that runs now waits, and then finds the document to remove.
    certificate = db.get(Certificate, certificate_id, with_for_update=True)
    if certificate is None or certificate.state != State.ISSUED or not certificate.holder_sealed:
        return None
    return keep_document(db, certificate, file, now)
