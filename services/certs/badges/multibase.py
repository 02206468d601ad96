"""Base58 (Bitcoin's alphabet) with the multibase letter z, as keys and proofs are written in Verifiable Credentials; pure."""

from __future__ import annotations

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_PUBLIC = b"\xed\x01"  # multicodec


def of_ed25519_key(raw: bytes) -> str:
    """A public key as `publicKeyMultibase`: z6Mk…"""
    return encode(_ED25519_PUBLIC + raw)


def encode(data: bytes) -> str:
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + _ALPHABET[0] * zeros + text
