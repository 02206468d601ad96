"""Materials of a course: files of its tutor, sealed by the gateway under keys that only learning keeps."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.tools.actions import Room, enter
from services.learning.tools.models import CourseMaterial
from services.shared import audit
from services.shared.bus import Call
from services.shared.crypto import FieldCipher
from services.shared.errors import LimitReached, NotFound
from services.shared.ids import new_id
from services.shared.sealed_files import new_file_key

UNKNOWN = "learning.material_unknown"
MATERIALS_PER_COURSE = 200
_SEALED = ("course_material", "file_key")


@dataclasses.dataclass(frozen=True)
class File:
    """What is told of a file before it is stored."""

    title: str
    sha256: str
    media_type: str
    size: int


def prepare(db: Session, call: Call, cipher: FieldCipher, course_id: uuid.UUID, file: File) -> dict[str, Any]:
    """A place for a file, and the key to seal it with; the same file of the course gets the same place again.

    Raises LimitReached when the course has as many as it may.
    """
    room = enter(db, call, course_id)
    key = f"{course_id}/MATERIAL"
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 7))))
    files = list(db.scalars(sa.select(CourseMaterial).where(CourseMaterial.course_id == course_id)))
    found = next((each for each in files if (each.sha256, each.title) == (file.sha256, file.title)), None)
    if found is None:
        if len(files) >= MATERIALS_PER_COURSE:
            raise LimitReached("learning.materials_full", "file")
        found = _place(db, call, cipher, room, file)
    return {"material_id": str(found.material_id), "file_key": _file_key(cipher, found)}


def _place(db: Session, call: Call, cipher: FieldCipher, room: Room, file: File) -> CourseMaterial:
    material_id = new_id()
    material = CourseMaterial(
        material_id=material_id,
        course_id=room.course.course_id,
        programme_id=room.programme.programme_id,
        place=room.programme.place,
        file_key_sealed=cipher.seal(new_file_key(), _SEALED[0], material_id, _SEALED[1]),
        storage_key=None,
        added_by=room.person_id,
        added_at=call.now,
        **dataclasses.asdict(file),
    )
    db.add(material)
    db.flush()
    return material


def keep(db: Session, call: Call, course_id: uuid.UUID, material_id: uuid.UUID, storage_key: str) -> dict[str, Any]:
    """The sealed file is stored under this key. `kept` is false when it was there already: then the new one may go."""
    room = enter(db, call, course_id)
    found = _get(db, course_id, material_id, lock=True)
    if found.storage_key is None:
        found.storage_key = storage_key
        db.flush()
        _record(db, call, room, found, "ADDED")
    return {"material_id": str(material_id), "kept": found.storage_key == storage_key, "title": found.title}


def list_materials(db: Session, course_id: uuid.UUID, after: uuid.UUID | None, limit: int) -> list[CourseMaterial]:
    """Those whose file is there, newest first."""
    select = sa.select(CourseMaterial).where(
        CourseMaterial.course_id == course_id, CourseMaterial.storage_key.is_not(None)
    )
    if after is not None:
        select = select.where(CourseMaterial.material_id < after)
    return list(db.scalars(select.order_by(CourseMaterial.material_id.desc()).limit(limit)))


def view(db: Session, call: Call, cipher: FieldCipher, course_id: uuid.UUID, material_id: uuid.UUID) -> dict[str, Any]:
    """Where the file lies and what opens it, for whoever is enrolled and the tutor. Raises NotFound."""
    enter(db, call, course_id)
    found = _get(db, course_id, material_id)
    if found.storage_key is None:
        raise NotFound(UNKNOWN)
    return {
        "storage_key": found.storage_key,
        "file_key": _file_key(cipher, found),
        "media_type": found.media_type,
    }


def remove(db: Session, call: Call, course_id: uuid.UUID, material_id: uuid.UUID) -> dict[str, Any]:
    """Take it out of the course, with its key: what lies in the storage opens for nobody any more."""
    room = enter(db, call, course_id)
    found = _get(db, course_id, material_id, lock=True)
    storage_key = found.storage_key
    db.delete(found)
    db.flush()
    _record(db, call, room, found, "REMOVED")
    return {"storage_key": storage_key}


def reseal(db: Session, cipher: FieldCipher, limit: int = 500) -> int:
    """Seal the next keys that an older key sealed with the newest one; how many there were."""
    is_stale = ~CourseMaterial.file_key_sealed.startswith(cipher.key_prefix, autoescape=True)
    stale = list(db.scalars(sa.select(CourseMaterial).where(is_stale).limit(limit).with_for_update(skip_locked=True)))
    for each in stale:
        each.file_key_sealed = cipher.seal(_file_key(cipher, each), _SEALED[0], each.material_id, _SEALED[1])
    db.flush()
    return len(stale)


def _get(db: Session, course_id: uuid.UUID, material_id: uuid.UUID, *, lock: bool = False) -> CourseMaterial:
    select = sa.select(CourseMaterial).where(
        CourseMaterial.course_id == course_id, CourseMaterial.material_id == material_id
    )
    found = db.scalars(select.with_for_update() if lock else select).one_or_none()
    if found is None:
        raise NotFound(UNKNOWN)
    return found


def _record(db: Session, call: Call, room: Room, material: CourseMaterial, what: str) -> None:
    after = {"material_id": str(material.material_id), "course_id": str(material.course_id), "what": what}
    audit.record(db, call, subject=None, place=room.programme.place, after=after)


def _file_key(cipher: FieldCipher, material: CourseMaterial) -> str:
    return cipher.open(material.file_key_sealed, _SEALED[0], material.material_id, _SEALED[1])
