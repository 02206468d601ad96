"""Making, opening and taking back links; each leaves an audit row."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs import queries
from services.certs.models import Certificate
from services.certs.rules import State
from services.certs.shares import queries as shares
from services.certs.shares import rules
from services.certs.shares.models import Share
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict
from services.shared.ids import new_id


def share_certificate(db: Session, call: Call, certificate_id: uuid.UUID, days: int) -> tuple[Share, str]:
    """(the share, its token), which is told once.

    Raises NotFound for another's certificate, Conflict("certs.not_valid") for one that is replaced or revoked, LimitReached
    with too many live links.
    """
    certificate = queries.get_certificate(db, certificate_id)
    call.authorise(certificate.teacher_id, missing=queries.NOT_FOUND)
    # Also keeps two requests from passing the limit together.
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(certificate_id), 0))))
    if certificate.state != State.ISSUED:
        raise Conflict("certs.not_valid")
    rules.require_room(shares.count_live(db, certificate_id, call.now))
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    share = Share(
        share_id=new_id(),
        certificate_id=certificate_id,
        teacher_id=certificate.teacher_id,
        token_hash=rules.hash_token(token),
        created_at=call.now,
        expires_at=call.now + dt.timedelta(days=days),
        opened=0,
    )
    db.add(share)
    db.flush()
    _record(db, call, share, {"expires_at": share.expires_at.isoformat()})
    return share, token


def revoke_share(db: Session, call: Call, share_id: uuid.UUID) -> Share:
    """Take the link back; again changes nothing. Raises NotFound for another's."""
    share = shares.lock_share(db, share_id)
    call.authorise(share.teacher_id, missing=shares.NOT_FOUND)
    if share.revoked_at is None:
        share.revoked_at = call.now
        db.flush()
        _record(db, call, share, {"revoked": True})
    return share


def open_share(db: Session, call: Call, token: str) -> tuple[Share, list[Certificate]]:
    """(the share, all editions of its certificate's number, its own first); counted and on record. Raises NotFound."""
    share = shares.get_by_token(db, token, call.now, lock=True)
    share.opened, share.opened_at = share.opened + 1, call.now
    db.flush()
    _record(db, call, share, {"opened": share.opened})
    own = queries.get_certificate(db, share.certificate_id)
    editions = queries.editions_of(db, [own.number])[own.number]
    return share, [own, *(each for each in editions if each is not own)]


def _record(db: Session, call: Call, share: Share, after: dict[str, object]) -> None:
    told = {"share_id": str(share.share_id), "certificate_id": str(share.certificate_id), **after}
    audit.record(db, call, subject=share.teacher_id, place="", after=told)
