"""Ed25519 signatures of certificate statements, and the public keys that anybody may check them with."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.shared.keys import KeyRing

PURPOSE = "certificate"
SIGNATURE_BYTES = 64


@dataclasses.dataclass(frozen=True)
class Signer:
    """Signs with the newest key; old certificates keep the key id that they were signed with."""

    key_id: str
    _key: Ed25519PrivateKey = dataclasses.field(repr=False)

    @classmethod
    def of(cls, keyring: KeyRing) -> Signer:
        return cls(keyring.key_id(PURPOSE), keyring.signing_key(PURPOSE))

    def sign(self, statement: bytes) -> str:
        return _encode(self.sign_raw(statement))

    def sign_raw(self, data: bytes) -> bytes:
        """The 64 bytes as such, for formats that write them in their own way."""
        return self._key.sign(data)


@dataclasses.dataclass(frozen=True)
class Verifier:
    """Checks signatures against every key that ever signed: the newest and the retired ones, by key id."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def of(cls, keyring: KeyRing) -> Verifier:
        older = {
            key_id: Ed25519PrivateKey.from_private_bytes(secret).public_key()
            for key_id, secret in keyring.older_secrets(PURPOSE).items()
        }
        return cls({**older, keyring.key_id(PURPOSE): keyring.verify_key(PURPOSE)})

    @classmethod
    def of_published(cls, key_set: Mapping[str, Any]) -> Verifier:
        """From a JSON Web Key Set as `published` tells it; keys of other kinds are left out.

        Raises ValueError for what is no key set, or one without a key of ours.
        """
        try:
            keys = {
                str(key["kid"]): Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(f"{key['x']}=="))
                for key in key_set["keys"]
                if key.get("crv") == "Ed25519"
            }
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise ValueError(f"not a JSON Web Key Set: {type(error).__name__} {error}") from None
        if not keys:
            raise ValueError("the key set holds no Ed25519 key")
        return cls(keys)

    def is_genuine(self, statement: bytes, signature: str, key_id: str) -> bool:
        """Whether one of our keys made this signature over exactly these bytes."""
        key, raw = self.keys.get(key_id), _decode(signature)
        if key is None or raw is None:
            return False
        try:
            key.verify(raw, statement)
        except InvalidSignature:
            return False
        return True

    def published(self) -> dict[str, list[dict[str, str]]]:
        """The keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "alg": "EdDSA",
                    "use": "sig",
                    "kid": key_id,
                    "x": _encode(key.public_bytes_raw()),
                }
                for key_id, key in sorted(self.keys.items())
            ]
        }


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(signature: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(signature + "==")
    except (binascii.Error, ValueError):
        return None
    # One signature has one text: a decoder that skips stray characters would let a second one pass as different.
    return raw if len(raw) == SIGNATURE_BYTES and _encode(raw) == signature else None
