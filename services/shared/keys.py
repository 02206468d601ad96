"""The key ring: one file per purpose in the keys folder, read when first asked for.

A process can use only the files that its host gives it, so in production each container mounts what it needs; the
public half (`<purpose>.pub`) is enough to verify. The embedded mode makes missing files itself, mode 0600; elsewhere a
missing file stops the process, and `yanxiu keys generate` makes a set. Rotation: the newest version is
`<purpose>.key`, older ones stay readable as `<purpose>.<key id>.key`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.shared.settings import SERVICES, Settings, SettingsError

SYMMETRIC = (
    "field-encryption",
    "blind-index",
    "request-hash",
    "cursor",
    "bulk-files",
    *(f"database.{name}" for name in SERVICES),
    *(f"audit-chain.{name}" for name in SERVICES),
)
ISSUERS = ("gateway", "cli", *SERVICES)
SIGNING = ("access-token", "play-token", "receipt", "certificate", *(f"actor.{issuer}" for issuer in ISSUERS))


class KeyRing:
    """Keys by purpose; see the module's docstring for where they live."""

    def __init__(self, folder: Path, *, generate: bool = False) -> None:
        self.folder = folder
        self._generate = generate
        self._cache: dict[str, bytes] = {}

    def secret(self, purpose: str) -> bytes:
        """32 secret bytes. Raises SettingsError when this process was not given the key."""
        return self._read(f"{purpose}.key")

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret(purpose))

    def verify_key(self, purpose: str) -> Ed25519PublicKey:
        """The public half; readable also where the private one is not."""
        return Ed25519PublicKey.from_public_bytes(self._read(f"{purpose}.pub"))

    def key_id(self, purpose: str) -> str:
        """Eight hex characters that name the current key without telling anything about it."""
        name = f"{purpose}.pub" if purpose in SIGNING else f"{purpose}.key"
        return hashlib.sha256(b"key id" + self._read(name)).hexdigest()[:8]

    def older_secrets(self, purpose: str) -> dict[str, bytes]:
        """Retired keys that must still open old data: {key id: bytes}."""
        prefix = f"{purpose}."
        return {
            path.name[len(prefix) : -len(".key")]: path.read_bytes()
            for path in self.folder.glob(f"{purpose}.????????.key")
        }

    def generate_missing(self) -> list[str]:
        """Make every key that is not there yet; returns the purposes made."""
        return [purpose for purpose in (*SYMMETRIC, *SIGNING) if self._make(purpose)]

    def _read(self, name: str) -> bytes:
        if name not in self._cache:
            path = self.folder / name
            if not path.exists() and self._generate:
                self._make(name.rsplit(".", 1)[0])
            try:
                self._cache[name] = path.read_bytes()
            except OSError as error:
                raise SettingsError(f"key file {name} is missing: run `yanxiu keys generate`") from error
        return self._cache[name]

    def _make(self, purpose: str) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        private = secrets.token_bytes(32)
        made = _write_new(self.folder / f"{purpose}.key", private)
        if purpose in SIGNING:
            # Another process may have won the race: the public half must belong to the file that is there.
            key = Ed25519PrivateKey.from_private_bytes((self.folder / f"{purpose}.key").read_bytes())
            _write_new(self.folder / f"{purpose}.pub", key.public_key().public_bytes_raw())
        return made


def _write_new(path: Path, content: bytes) -> bool:
    """Create the file whole or not at all; an existing one wins."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(partial, path)
        return True
    except FileExistsError:
        return False
    finally:
        partial.unlink()


def open_keyring(settings: Settings) -> KeyRing:
    """The installation's key ring; development makes what is missing, production never does."""
    return KeyRing(settings.keys_dir, generate=settings.embedded or settings.development)
