"""Files of jobs: uploads, reports and exports, sealed piece by piece, so that neither end ever holds a whole one.

Each piece is an object of the store under a random key, AES-256-GCM under the key "bulk-files"; the file's id, the
piece's place and whether it is the last are authenticated, so pieces can be neither swapped, dropped nor added.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.shared.bus.providers import Environment, Provider
from services.shared.crypto import NONCE_BYTES, KeySet, SealError
from services.shared.ids import new_id
from services.shared.storage import Storage, open_storage

PURPOSE = "bulk-files"
AREA = "bulk"
PIECE_BYTES = 1 << 20
MEDIA_TYPE = "application/octet-stream"
KEY_ID_BYTES = 8


@dataclasses.dataclass(frozen=True)
class SealedFile:
    """Where the pieces lie; `sha256` and `size` are those of the content."""

    file_id: uuid.UUID
    pieces: tuple[str, ...]
    sha256: str
    size: int

    def to_wire(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "file_id": str(self.file_id), "pieces": list(self.pieces)}

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> SealedFile:
        return cls(uuid.UUID(body["file_id"]), tuple(body["pieces"]), str(body["sha256"]), int(body["size"]))


class SealedFiles:
    """Writes, reads and forgets sealed files of one store."""

    def __init__(self, keys: KeySet, storage: Storage) -> None:
        self._current = keys.current
        self._ciphers = {key_id: AESGCM(secret) for key_id, secret in keys.secrets.items()}
        self._storage = storage

    def write(self) -> FileWriter:
        return FileWriter(self)

    def store(self, content: Iterable[bytes]) -> SealedFile:
        """Seal and store what comes. Nothing stays when it fails."""
        writer = self.write()
        try:
            for chunk in content:
                writer.write(chunk)
            return writer.close()
        except BaseException:
            writer.abandon()
            raise

    def read(self, file: SealedFile) -> Iterator[bytes]:
        """The content, a piece at a time. Raises SealError for anything but what was written, NotFound once forgotten."""
        digest = hashlib.sha256()
        for index, key in enumerate(file.pieces):
            last = index == len(file.pieces) - 1
            piece = self._open(b"".join(self._storage.read(key)), file.file_id, index, last=last)
            digest.update(piece)
            yield piece
        if digest.hexdigest() != file.sha256:
            raise SealError("the file is not the one that was written")

    def forget(self, pieces: Sequence[str]) -> None:
        for key in pieces:
            self._storage.delete(key)

    def put_piece(self, content: bytes, file_id: uuid.UUID, index: int, *, last: bool) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, content, _context(file_id, index, last=last))
        return self._storage.put(AREA, self._current.encode() + nonce + sealed, MEDIA_TYPE).key

    def _open(self, data: bytes, file_id: uuid.UUID, index: int, *, last: bool) -> bytes:
        key_id, rest = data[:KEY_ID_BYTES].decode("ascii", "replace"), data[KEY_ID_BYTES:]
        try:
            context = _context(file_id, index, last=last)
            return self._ciphers[key_id].decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context)
        except (KeyError, ValueError, InvalidTag) as error:
            raise SealError(f"piece {index}: {type(error).__name__}") from None


class FileWriter:
    """Takes a file as it grows; each full piece is sealed and stored at once."""

    def __init__(self, files: SealedFiles) -> None:
        self._files = files
        self._id = new_id()
        self._buffer = bytearray()
        self._pieces: list[str] = []
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, content: bytes) -> None:
        self._digest.update(content)
        self._size += len(content)
        self._buffer += content
        while len(self._buffer) > PIECE_BYTES:
            self._put(bytes(self._buffer[:PIECE_BYTES]), last=False)
            del self._buffer[:PIECE_BYTES]

    def close(self) -> SealedFile:
        self._put(bytes(self._buffer), last=True)
        self._buffer.clear()
        return SealedFile(self._id, tuple(self._pieces), self._digest.hexdigest(), self._size)

    def abandon(self) -> None:
        """Forget what was stored so far."""
        self._files.forget(self._pieces)

    def _put(self, content: bytes, *, last: bool) -> None:
        self._pieces.append(self._files.put_piece(content, self._id, len(self._pieces), last=last))


class SealedFilesProvider(Provider[SealedFiles]):
    def build(self, service_class: Any, environment: Environment) -> SealedFiles:
        return SealedFiles(KeySet.of(environment.keyring, PURPOSE), open_storage(environment.settings))


def _context(file_id: uuid.UUID, index: int, *, last: bool) -> bytes:
    return f"{PURPOSE}\0{file_id}\0{index}\0{int(last)}".encode()
