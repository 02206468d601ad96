"""Where the heads of the audit chains are written down, once each, outside the databases they witness.

`open_anchors(settings)` picks by YANXIU_ANCHOR_URL: "" is a folder in the data folder, a path another folder (a mount that
another machine keeps, or write-once media), `s3://…` as in `storage` a bucket (with object lock). What is cut off a chain
shows only against a head that whoever cut it could not remove: the folder in the data folder stops whoever has the
database alone.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from services.shared import clock
from services.shared.audit_chain import Head, Seals
from services.shared.errors import Unavailable
from services.shared.settings import Settings, SettingsError
from services.shared.storage import s3_address

# Each head vouches for everything before it, so the newest alone would do; more of them tell when a chain was rewritten.
HEADS_COMPARED = 1000


class Anchors(Protocol):
    """Files numbered from 1 without gaps, each written once."""

    def put_once(self, service: str, number: int, content: bytes) -> bool:
        """Write the file; False when it is there already, which it then stays. Raises Unavailable."""

    def find(self, service: str, number: int) -> bytes | None:
        """The file, None when there is none. Raises Unavailable."""


class FolderAnchors:
    """A folder per service; files appear whole, for reading only, and are never opened for writing again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, service: str, number: int) -> Path:
        return self.folder / service / f"{number:012d}.json"

    def put_once(self, service: str, number: int, content: bytes) -> bool:
        path = self.path(service, number)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return _create(path, content)
        except OSError as error:
            raise Unavailable("shared.storage_unavailable", "", type(error).__name__) from error

    def find(self, service: str, number: int) -> bytes | None:
        try:
            return self.path(service, number).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable("shared.storage_unavailable", "", type(error).__name__) from error


def _create(path: Path, content: bytes) -> bool:
    """Whole or not at all, and durable; an existing file wins."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def open_anchors(settings: Settings) -> Anchors:
    """The place that the settings name. Raises SettingsError for an address that is none."""
    if not settings.anchor_url:
        return FolderAnchors(settings.data_dir / "anchors")
    parts = urlsplit(settings.anchor_url)
    if parts.scheme in ("", "file") and Path(parts.path).is_absolute():
        return FolderAnchors(Path(parts.path))
    if (address := s3_address(settings.anchor_url)) is None:
        raise SettingsError(
            "YANXIU_ANCHOR_URL must be an absolute path or s3://ACCESS_KEY:SECRET_KEY@bucket?endpoint=https://host"
        )
    from services.shared.object_storage import S3Anchors  # only where it is used: it brings `requests`

    return S3Anchors(**address)


class HeadBook:
    """The heads of one service's chain as they were written down."""

    def __init__(self, anchors: Anchors, service: str, seals: Seals) -> None:
        self._anchors = anchors
        self._service = service
        self._seals = seals
        self._last = 0  # the highest number that was seen

    def write(self, head: Head, at: dt.datetime) -> bool:
        """Write the head down unless the newest entry says it already; returns whether an entry was made."""
        newest = self.newest()
        if not head.position or (newest is not None and newest == head):
            return False
        content = self._entry(head, at)
        while not self._anchors.put_once(self._service, self._last + 1, content):
            self._last += 1
        self._last += 1
        return True

    def newest(self) -> Head | None:
        """None when there is no entry, or when the last one is not ours."""
        found = self._find_last()
        return None if found is None else self._head_in(found)

    def heads(self, limit: int = HEADS_COMPARED) -> dict[int, bytes]:
        """{position: seal} of the newest entries; what is not ours is left out."""
        self._find_last()
        numbers = range(max(1, self._last - limit + 1), self._last + 1)
        found = (self._anchors.find(self._service, number) for number in numbers)
        heads = (self._head_in(content) for content in found if content is not None)
        return {head.position: head.seal for head in heads if head is not None}

    def _find_last(self) -> bytes | None:
        """The last entry, found without listing: by ever longer steps, then by halves."""
        known, step = self._last, 1
        while self._anchors.find(self._service, known + step) is not None:
            known, step = known + step, step * 2
        while step > 1:
            step //= 2
            if self._anchors.find(self._service, known + step) is not None:
                known += step
        self._last = known
        return self._anchors.find(self._service, known) if known else None

    def _entry(self, head: Head, at: dt.datetime) -> bytes:
        facts = {
            "service": self._service,
            "position": head.position,
            "seal": head.seal.hex(),
            "at": clock.format_instant(at),
            "key_id": self._seals.current,
        }
        return json.dumps({**facts, "proof": self._proof(facts)}, indent=1).encode() + b"\n"

    def _head_in(self, content: bytes) -> Head | None:
        try:
            facts = json.loads(content)
            proof = str(facts.pop("proof"))
            expected = self._proof(facts)
            if facts["service"] != self._service or not (expected and hmac.compare_digest(proof, expected)):
                return None
            return Head(int(facts["position"]), bytes.fromhex(facts["seal"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _proof(self, facts: dict[str, Any]) -> str:
        """Tells an entry of ours from one that was planted; "" when its key is not on the ring."""
        secret = self._seals.secret(str(facts["key_id"]))
        if secret is None:
            return ""
        text = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
        return hmac.digest(secret, b"yanxiu.anchor.1\0" + text, "sha256").hex()
