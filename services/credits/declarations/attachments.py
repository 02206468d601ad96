"""Files that prove a declaration: sealed by the gateway under a key that only credits keeps, each kept with its rounds."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.contract.declarations import ATTACHMENTS_AT_MOST
from services.credits.contract.declarations import DeclarationState as State
from services.credits.declarations import queries
from services.credits.declarations.models import Attachment, Declaration
from services.credits.queries import find_place
from services.shared import audit
from services.shared.bus import Call
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, LimitReached, NotFound
from services.shared.ids import new_id
from services.shared.sealed_files import new_file_key

UNKNOWN = "credits.attachment_unknown"
EDITABLE = (State.DRAFT, State.RETURNED)
_SEALED = ("declaration_attachment", "file_key")


@dataclasses.dataclass(frozen=True)
class File:
    """What is told of a file before it is stored."""

    sha256: str
    media_type: str
    size: int


def prepare_attachment(
    db: Session, call: Call, cipher: FieldCipher, declaration_id: uuid.UUID, file: File
) -> dict[str, Any]:
    """A place for a file of the next round, and the key to seal it with; the same file gets the same place again.

    Raises Conflict unless the declaration can be edited, LimitReached when the next round has its ten.
    """
    declaration = _own_editable(db, call, declaration_id)
    files = queries.list_attachments(db, declaration_id, declaration.round + 1, stored=False)
    found = next((each for each in files if each.sha256 == file.sha256), None)
    if found is None:
        if len(files) >= ATTACHMENTS_AT_MOST:
            raise LimitReached("credits.attachments_full", "file")
        attachment_id = new_id()
        found = Attachment(
            attachment_id=attachment_id,
            declaration_id=declaration_id,
            teacher_id=declaration.teacher_id,
            first_round=declaration.round + 1,
            last_round=None,
            file_key_sealed=cipher.seal(new_file_key(), _SEALED[0], attachment_id, _SEALED[1]),
            storage_key=None,
            added_at=call.now,
            **dataclasses.asdict(file),
        )
        db.add(found)
        db.flush()
    return {"attachment_id": str(found.attachment_id), "file_key": _file_key(cipher, found)}


def keep_attachment(
    db: Session, call: Call, declaration_id: uuid.UUID, attachment_id: uuid.UUID, storage_key: str
) -> dict[str, Any]:
    """The sealed file is stored under this key. `kept` is false when it was there already: then the new one may go."""
    declaration = _own_editable(db, call, declaration_id)
    found = _of_next_round(db, declaration, attachment_id)
    if found.storage_key is None:
        found.storage_key = storage_key
        db.flush()
    return {
        "attachment_id": str(attachment_id),
        "kept": found.storage_key == storage_key,
        "attachments": len(queries.list_attachments(db, declaration_id, declaration.round + 1)),
    }


def remove_attachment(db: Session, call: Call, declaration_id: uuid.UUID, attachment_id: uuid.UUID) -> dict[str, Any]:
    """Leave it out of the next round. What was never submitted goes with its key; earlier rounds keep theirs."""
    declaration = _own_editable(db, call, declaration_id)
    found = _of_next_round(db, declaration, attachment_id)
    if found.first_round <= declaration.round:
        found.last_round = declaration.round
        db.flush()
        return {"storage_key": None}
    storage_key = found.storage_key
    db.delete(found)
    db.flush()
    return {"storage_key": storage_key}


def view_attachment(
    db: Session, call: Call, cipher: FieldCipher, declaration_id: uuid.UUID, attachment_id: uuid.UUID
) -> dict[str, Any]:
    """Where the file lies and what opens it, for its teacher and the reviewers; each view by another is on record.

    Raises NotFound. Reviewers see what has been submitted.
    """
    declaration = queries.get_declaration(db, declaration_id)
    place = find_place(db, declaration.teacher_id) or ""
    call.authorise(subject=declaration.teacher_id, place=place, missing=queries.MISSING)
    is_own = declaration.teacher_id == call.actor.account_id
    if declaration.state == State.DRAFT and not is_own:
        raise NotFound(queries.MISSING)
    found = queries.get_attachment(db, declaration_id, attachment_id)
    if found.storage_key is None or (found.first_round > declaration.round and not is_own):
        raise NotFound(UNKNOWN)
    if not is_own:
        audit.record(
            db,
            call,
            subject=declaration.teacher_id,
            place=place,
            after={"declaration_id": str(declaration_id), "attachment_id": str(attachment_id)},
        )
    return {
        "storage_key": found.storage_key,
        "file_key": _file_key(cipher, found),
        "media_type": found.media_type,
    }


def reseal_attachments(db: Session, cipher: FieldCipher, limit: int = 500) -> int:
    """Seal the next keys that an older key sealed with the newest one; how many there were."""
    stale = queries.list_stale_attachments(db, cipher.key_prefix, limit)
    for each in stale:
        each.file_key_sealed = cipher.seal(_file_key(cipher, each), _SEALED[0], each.attachment_id, _SEALED[1])
    db.flush()
    return len(stale)


def forget_attachments(db: Session, teacher_id: uuid.UUID) -> None:
    """Destroy the keys of an erased person's files: what lies in the storage opens for nobody any more."""
    files = sa.update(Attachment).where(Attachment.teacher_id == teacher_id)
    db.execute(files.values(file_key_sealed="", storage_key=None))


def _own_editable(db: Session, call: Call, declaration_id: uuid.UUID) -> Declaration:
    declaration = queries.lock_declaration(db, declaration_id)
    call.authorise(subject=declaration.teacher_id, missing=queries.MISSING)
    if declaration.state not in EDITABLE:
        raise Conflict("credits.declaration_state")
    return declaration


def _of_next_round(db: Session, declaration: Declaration, attachment_id: uuid.UUID) -> Attachment:
    found = queries.get_attachment(db, declaration.declaration_id, attachment_id)
    if found.last_round is not None:
        raise NotFound(UNKNOWN)
    return found


def _file_key(cipher: FieldCipher, attachment: Attachment) -> str:
    return cipher.open(attachment.file_key_sealed, _SEALED[0], attachment.attachment_id, _SEALED[1])
