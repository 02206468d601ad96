"""The port for files: a folder, or any S3-compatible store. Content in, opaque key out; no caller ever names a file.

`open_storage(settings)` picks by YANXIU_STORAGE_URL: "" is a folder beside the data, else
`s3://ACCESS_KEY:SECRET_KEY@bucket?endpoint=https://host:port&region=cn-north-1` (percent-encode the keys).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from services.shared.errors import NotFound, Unavailable
from services.shared.settings import Settings, SettingsError

CHUNK = 64 * 1024
_AREA = re.compile(r"[a-z]{1,20}")
# Two letters of the random part spread a folder's files over 256 sub-folders.
_KEY = re.compile(r"[a-z]{1,20}/[0-9a-f]{2}/[0-9a-f]{30}")


@dataclasses.dataclass(frozen=True)
class StoredFile:
    """What the owner keeps in its table: the key is the only way back to the content."""

    key: str
    sha256: str
    size: int


class Content:
    """The chunks of a stored file, to be read once; whoever does not read to the end must `close` it."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], None]) -> None:
        self._chunks = iter(chunks)
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        finally:
            self._close()

    def close(self) -> None:
        self._close()


class Storage(Protocol):
    def put(self, area: str, content: bytes, media_type: str) -> StoredFile:
        """Store the content under a new random key in `area` (lower-case letters, e.g. "certificates").

        It is durable when this returns. Raises Unavailable("shared.storage_unavailable").
        """

    def read(self, key: str) -> Content:
        """The content in chunks. Raises NotFound("shared.file_not_found") before the first one, or Unavailable."""

    def delete(self, key: str) -> None:
        """Forget the content; a key that is not there is no error."""

    def check(self) -> None:
        """Raises Unavailable when the store cannot be used now (for `/ready`)."""


def new_key(area: str) -> str:
    """A key that tells nothing and cannot be guessed."""
    if not _AREA.fullmatch(area):
        raise ValueError("an area is one lower-case word")
    random_part = secrets.token_hex(16)
    return f"{area}/{random_part[:2]}/{random_part[2:]}"


def checked_key(key: str) -> str:
    """The key itself, if it has the form of one; so no path from outside ever reaches the disk or a URL."""
    if not _KEY.fullmatch(key):
        raise NotFound("shared.file_not_found")
    return key


def describe(key: str, content: bytes) -> StoredFile:
    return StoredFile(key, hashlib.sha256(content).hexdigest(), len(content))


class FolderStorage:
    """Files below one folder; a file appears whole or not at all, and survives a power cut once `put` returned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, area: str, content: bytes, media_type: str) -> StoredFile:
        key = new_key(area)
        try:
            self._write(self.folder / key, content)
        except OSError as error:
            raise Unavailable("shared.storage_unavailable", "", type(error).__name__) from error
        return describe(key, content)

    def read(self, key: str) -> Content:
        try:
            file = (self.folder / checked_key(key)).open("rb")
        except FileNotFoundError:
            raise NotFound("shared.file_not_found") from None
        except OSError as error:
            raise Unavailable("shared.storage_unavailable", "", type(error).__name__) from error
        return Content(iter(lambda: file.read(CHUNK), b""), file.close)

    def delete(self, key: str) -> None:
        (self.folder / checked_key(key)).unlink(missing_ok=True)

    def check(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable("shared.storage_unavailable", "", type(error).__name__) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise Unavailable("shared.storage_unavailable", "", "the folder cannot be written")

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.partial")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        # The rename itself is durable only when each folder that gained an entry is.
        for folder in (path.parent, path.parent.parent, self.folder):
            _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_storage(settings: Settings) -> Storage:
    """The store that the settings name. Raises SettingsError for an address that is none."""
    if not settings.storage_url:
        return FolderStorage(settings.data_dir / "files")
    from services.shared.object_storage import S3Storage  # only where it is used: it brings `requests`

    address = s3_address(settings.storage_url)
    if address is None:
        raise SettingsError("YANXIU_STORAGE_URL must be s3://ACCESS_KEY:SECRET_KEY@bucket?endpoint=https://host")
    return S3Storage(**address)


def s3_address(url: str) -> dict[str, str] | None:
    """What `S3Storage` takes, out of `s3://ACCESS_KEY:SECRET_KEY@bucket?endpoint=…&region=…`; None for anything else."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    if parts.scheme != "s3" or not (parts.hostname and parts.username and parts.password and "endpoint" in options):
        return None
    return {
        "endpoint": options["endpoint"][0],
        "bucket": parts.hostname,
        "region": options.get("region", ["us-east-1"])[0],
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password),
    }
