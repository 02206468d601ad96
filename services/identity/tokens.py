"""Access tokens: what the gateway believes for ten minutes (`architecture.md` decisions 16 and 19)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.identity import contract
from services.shared.bus.providers import Environment, Provider

if TYPE_CHECKING:
    from services.identity.actions.accounts import Standing

PURPOSE = "access-token"
ALGORITHM = "Ed25519"  # RFC 9864's name of EdDSA on this curve
LIFETIME = dt.timedelta(seconds=contract.ACCESS_TOKEN_SECONDS)
# Revocation compares instants, and a clock may stand still (tests) or two acts share a microsecond.
NEXT_INSTANT = dt.timedelta(milliseconds=1)


def issued_at(now: dt.datetime, not_before: dt.datetime | None) -> dt.datetime:
    """The `iat` of a token made now: later than whatever was revoked, or it would be born void."""
    return now if not_before is None else max(now, not_before + NEXT_INSTANT)


class AccessTokenMint:
    def __init__(self, private_pem: bytes, key_id: str) -> None:
        self._key = OKPKey.import_key(private_pem)
        self._header = {"alg": ALGORITHM, "kid": key_id}

    def mint(self, standing: Standing, session_id: Any, now: dt.datetime) -> str:
        """A signed token saying who this is, as what, at which desk, with which grants. Never stored."""
        issued = issued_at(now, standing.tokens_not_before)
        claims = {
            "iss": contract.SERVICE,
            "sub": str(standing.account_id),
            "sid": str(session_id),
            "idn": standing.active_identity,
            "grants": standing.grants,
            "dsk": standing.desk,
            "elv": standing.elevated_until.timestamp() if standing.elevated_until else None,
            "wai": standing.waiting,
            "plc": standing.place,
            "ver": standing.version,
            # A fraction (RFC 7519 allows it): whole seconds could not tell a token from the revocation just before it.
            "iat": issued.timestamp(),
            "exp": int((issued + LIFETIME).timestamp()),
        }
        return jwt.encode(self._header, claims, self._key, algorithms=[ALGORITHM])


class MintProvider(Provider[AccessTokenMint]):
    def build(self, service_class: Any, environment: Environment) -> AccessTokenMint:
        key = environment.keyring.signing_key(PURPOSE)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return AccessTokenMint(pem, environment.keyring.key_id(PURPOSE))
