"""Photos and proofs on their way in and out: cleaned, sealed under the key that their owner gives, never kept in clear."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import IO, Any

from gateway.context import gateway
from gateway.images import Image, clean_image
from services.credits.contract.declarations import ATTACHMENT_BYTES
from services.identity.contract.phone import EVIDENCE_BYTES
from services.shared.crypto import SealError
from services.shared.errors import InvalidInput, NotFound, ServiceError, Unavailable
from services.shared.sealed_files import open_file, seal_file
from services.shared.storage import Storage, open_storage

AREA = "evidence"
SEALED = "application/octet-stream"
ATTACHMENT_FORM = "credits.attachment_form"

Tell = Callable[..., dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Keeper:
    """The service that keeps a kind of file: its two methods, what it calls one, and the area of the storage."""

    service: str
    prepare: str
    keep: str
    id_name: str
    area: str


TICKETS = Keeper("identity", "prepare_evidence", "keep_evidence", "evidence_id", AREA)
MATERIALS = Keeper("learning", "prepare_course_material", "keep_course_material", "material_id", "materials")
DECLARATIONS = Keeper("credits", "prepare_attachment", "keep_attachment", "attachment_id", "attachments")


def read_image(file: IO[bytes]) -> Image:
    """The upload as it may be kept. Raises InvalidInput: "identity.evidence_form", "identity.evidence_too_many_pixels"."""
    content = file.read(EVIDENCE_BYTES + 1)
    if len(content) > EVIDENCE_BYTES:
        raise InvalidInput("identity.evidence_form", "file", "too large")
    return clean_image(content)


def read_proof(file: IO[bytes], refusal: str = ATTACHMENT_FORM) -> tuple[str, bytes]:
    """Media type and content of a proof as it may be kept: a PDF as it is, a picture without what was written beside it.

    Raises InvalidInput(`refusal`) for anything else, whatever it calls itself.
    """
    content = file.read(ATTACHMENT_BYTES + 1)
    if len(content) > ATTACHMENT_BYTES:
        raise InvalidInput(refusal, "file", "too large")
    if content.startswith(b"%PDF-"):
        # Its end may be followed by a few line ends; a file cut off in the upload has none.
        if b"%%EOF" not in content[-1024:]:
            raise InvalidInput(refusal, "file", "a PDF without its end")
        return "application/pdf", content
    try:
        image = clean_image(content)
    except InvalidInput as error:
        raise InvalidInput(refusal, "file", error.detail) from None
    return image.media_type, image.content


def add_image(image: Image, ticket: dict[str, str], consent: dict[str, str], tell: Tell) -> dict[str, Any]:
    """Keep a photo of a ticket, with the consent of whom it shows."""
    reply = add_file(TICKETS, image.media_type, image.content, ticket, tell, consent)
    return {"evidence_id": reply["evidence_id"], "evidence": reply["evidence"]}


def add_file(
    keeper: Keeper,
    media_type: str,
    content: bytes,
    owner: dict[str, str],
    tell: Tell,
    terms: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Get a place and a key from the keeper, store the sealed file there, and say where it lies. The keeper's last reply.

    `terms`: what the keeper asks for before it gives a place.
    """
    described = {"sha256": hashlib.sha256(content).hexdigest(), "media_type": media_type, "size": len(content)}
    slot = tell(keeper.service, keeper.prepare, {**owner, **described, **terms}, step="place")
    file_id = slot[keeper.id_name]
    stored = storage().put(keeper.area, seal_file(content, slot["file_key"], file_id), SEALED)
    kept = {**owner, keeper.id_name: file_id, "storage_key": stored.key}
    try:
        reply: dict[str, Any] = tell(keeper.service, keeper.keep, kept, step="file")
    except Unavailable:
        # It may be kept: the file stays. If it is not, nothing opens it once its owner has forgotten the key.
        raise
    except ServiceError:
        take_back(stored.key)
        raise
    if not reply["kept"]:
        # The same file was there already, or this request was repeated.
        take_back(stored.key)
    return reply


def take_back(key: str) -> None:
    """Delete a file that nobody wants, if that can be done."""
    # What cannot be taken back stays sealed.
    with contextlib.suppress(ServiceError, OSError):
        storage().delete(key)


def open_image(found: dict[str, Any], evidence_id: str) -> bytes:
    """The image in clear, for the agent who may see it. Raises NotFound("identity.evidence_unknown") for a damaged one."""
    return open_kept(found, evidence_id, "identity.evidence_unknown")


def open_kept(found: dict[str, Any], file_id: str, unknown: str) -> bytes:
    """The file in clear, for whom its keeper has told where it lies. Raises NotFound(unknown) for a damaged one."""
    sealed = b"".join(storage().read(found["storage_key"]))
    try:
        return open_file(sealed, found["file_key"], file_id)
    except SealError:
        raise NotFound(unknown) from None


def storage() -> Storage:
    return open_storage(gateway().settings)
