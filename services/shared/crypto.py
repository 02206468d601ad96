"""Personal data at rest: fields sealed one by one, and keyed indexes that find them again without opening them.

Two different keys: whoever holds only the index key can test guesses but open nothing, and the other way round. Both
kinds of value start with the id of their key, so keys rotate while old values stay readable.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
import os
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from services.shared.keys import KeyRing

NONCE_BYTES = 12  # NIST SP 800-38D §5.2.1.1; random, so one key is good for 2^32 fields (§8.3)
KEY_BYTES = 32
_STANDARD = bytes.maketrans(b"-_", b"+/")


class SealError(Exception):
    """A sealed value that is damaged, was moved from another row or field, or whose key is gone."""


@dataclasses.dataclass(frozen=True)
class KeySet:
    """The keys of one purpose: the current one writes, all of them read. {key id: 32 bytes}."""

    current: str
    secrets: Mapping[str, bytes] = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.secrets:
            raise ValueError("the current key is not in the set")
        for key_id, secret in self.secrets.items():
            if len(secret) != KEY_BYTES or "." in key_id or not key_id.isascii():
                raise ValueError(f"key {key_id!r} is not {KEY_BYTES} bytes, or its id cannot stand in a sealed value")

    @classmethod
    def of(cls, keyring: KeyRing, purpose: str) -> KeySet:
        """The current and the retired keys of `purpose`."""
        current = keyring.key_id(purpose)
        return cls(current, {**keyring.older_secrets(purpose), current: keyring.secret(purpose)})


class FieldCipher:
    """AES-256-GCM over one field. The row and the field are authenticated: a value copied elsewhere does not open."""

    def __init__(self, keys: KeySet) -> None:
        self._current = keys.current
        self._ciphers = {key_id: AESGCM(secret) for key_id, secret in keys.secrets.items()}

    def seal(self, text: str, table: str, row_id: uuid.UUID | str, field: str) -> str:
        """`<key id>.<base64url of nonce and ciphertext>`; sealing the same text twice gives different values."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(
            nonce, text.encode(), _context(self._current, table, row_id, field)
        )
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def open(self, sealed: str, table: str, row_id: uuid.UUID | str, field: str) -> str:
        """The text sealed for exactly this row and field. Raises SealError for anything else.

        A list that opens several fields of each row gives the id as text: writing it out takes as long as opening.
        """
        try:
            key_id, encoded = sealed.split(".")
            # What `base64.urlsafe_b64decode` does, in a third of its time.
            data = binascii.a2b_base64(encoded.encode("ascii").translate(_STANDARD))
            opened = self._ciphers[key_id].decrypt(
                data[:NONCE_BYTES], data[NONCE_BYTES:], _context(key_id, table, row_id, field)
            )
            return opened.decode()
        # ValueError: no dot, or too short for a nonce; KeyError: the key has been destroyed.
        except (ValueError, KeyError, InvalidTag, binascii.Error) as error:
            raise SealError(f"{table}.{field}: {type(error).__name__}") from None

    @property
    def key_prefix(self) -> str:
        """What every value begins with that the newest key sealed."""
        return f"{self._current}."

    @property
    def has_older_keys(self) -> bool:
        """Whether there can be values that wait for `reseal`."""
        return len(self._ciphers) > 1

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key sealed this value; the others wait for `reseal`."""
        return sealed.startswith(f"{self._current}.")

    def reseal(self, sealed: str, table: str, row_id: uuid.UUID, field: str) -> str:
        """The same text under the newest key; unchanged when it is there already."""
        if self.is_current(sealed):
            return sealed
        return self.seal(self.open(sealed, table, row_id, field), table, row_id, field)


class BlindIndex:
    """HMAC-SHA-256 of a value: equality can be looked up and kept unique, the value cannot be read back."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def index(self, value: str, kind: str) -> str:
        """`<key id>.<hex>` under the newest key. `kind` keeps equal values of different fields apart."""
        return self._under(self._keys.current, value, kind)

    def candidates(self, value: str, kind: str) -> list[str]:
        """What rows may hold for this value: one per key, newest first. During a rotation look for all of them."""
        # Sorted, so that every process names the same one last (callers lock by it).
        older = sorted(key_id for key_id in self._keys.secrets if key_id != self._keys.current)
        return [self._under(key_id, value, kind) for key_id in (self._keys.current, *older)]

    def is_current(self, index: str) -> bool:
        return index.startswith(f"{self._keys.current}.")

    def _under(self, key_id: str, value: str, kind: str) -> str:
        message = kind.encode() + b"\0" + value.encode()
        digest = hmac.digest(self._keys.secrets[key_id], message, "sha256")
        return f"{key_id}.{digest.hex()}"


def _context(key_id: str, table: str, row_id: uuid.UUID | str, field: str) -> bytes:
    # NUL cannot stand in any part, so no two contexts run together.
    return f"{key_id}\0{table}\0{row_id}\0{field}".encode()
