"""Files that only their owner can read: sealed before they leave the process, each under a key of its own.

The owner keeps the key, sealed, in its database. Destroying the key destroys the file, wherever copies of it may lie.
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.shared.crypto import KEY_BYTES, NONCE_BYTES, SealError


def new_file_key() -> str:
    """A fresh key, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def seal_file(content: bytes, file_key: str, name: str) -> bytes:
    """The content sealed (AES-256-GCM) as the file `name`; under another name it does not open."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(file_key).encrypt(nonce, content, name.encode())


def open_file(sealed: bytes, file_key: str, name: str) -> bytes:
    """What `seal_file` was given. Raises SealError for anything damaged, renamed, or sealed under another key."""
    try:
        return _cipher(file_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
    except (ValueError, InvalidTag) as error:
        raise SealError(f"file: {type(error).__name__}") from None


def _cipher(file_key: str) -> AESGCM:
    return AESGCM(base64.urlsafe_b64decode(file_key))
