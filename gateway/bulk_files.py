"""Files of jobs at the edge: sealed piece by piece on their way in, opened piece by piece on their way out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import IO, Any

from flask import current_app

from gateway.context import gateway
from services.shared.bulk.files import PIECE_BYTES, PURPOSE, SealedFile, SealedFiles
from services.shared.crypto import KeySet
from services.shared.errors import InvalidInput, ServiceError
from services.shared.storage import open_storage

LONGEST = 24 << 20


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of an upload. Raises InvalidInput("shared.too_large") for more than a job takes."""
    found, size = hashlib.sha256(), 0
    for piece in _pieces(file):
        size += len(piece)
        if size > LONGEST:
            raise InvalidInput("shared.too_large", "file")
        found.update(piece)
    return found.hexdigest()


def store(file: IO[bytes]) -> SealedFile:
    return sealed_files().store(_pieces(file))


def forget(file: SealedFile) -> None:
    """Take back what no job wants. What cannot be taken back is sealed, and nobody has its key."""
    with contextlib.suppress(ServiceError):
        sealed_files().forget(file.pieces)


def read(file: dict[str, Any]) -> Iterator[bytes]:
    """The content; the first piece is there before this returns, so that what cannot be read is refused and not cut off."""
    content = sealed_files().read(SealedFile.from_wire(file))
    first = next(content, b"")

    def rest() -> Iterator[bytes]:
        yield first
        yield from content

    return rest()


def sealed_files() -> SealedFiles:
    """Opened on first use."""
    extensions = current_app.extensions
    if "yanxiu.bulk_files" not in extensions:
        parts = gateway()
        extensions["yanxiu.bulk_files"] = SealedFiles(KeySet.of(parts.keyring, PURPOSE), open_storage(parts.settings))
    files: SealedFiles = extensions["yanxiu.bulk_files"]
    return files


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield piece
