"""Who asks: checks the access token and mints the actor token that a service will believe.

An access token is an EdDSA JWT made by identity (`architecture.md` decision 16). Its signature costs 0.3 ms to check,
so a token seen before is known by its hash for a while; expiry and revocation are looked at on every request.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import threading
import uuid
from typing import Any

from cachetools import TTLCache
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Request
from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey

from gateway.context import call, gateway
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Desk, Grant, Kind, Role, instant_in
from services.shared.errors import NotAllowed

ISSUER = "identity"
# RFC 9864 renamed EdDSA with this curve to Ed25519; both names mean the same signature.
ALGORITHMS = frozenset({"EdDSA", "Ed25519"})
LONGEST_TOKEN = 8192
LONGEST_USER_AGENT = 300
REMEMBERED_TOKENS = 20_000
REMEMBERED_SECONDS = 60
CLOCK_SKEW = dt.timedelta(seconds=5)  # between two hosts that keep NTP


@dataclasses.dataclass(frozen=True)
class SignIn:
    """What a valid access token says."""

    account_id: uuid.UUID
    session_id: uuid.UUID
    identity: str
    grants: tuple[Grant, ...]
    issued_at: dt.datetime
    expires_at: dt.datetime
    desk: Desk
    elevated_until: dt.datetime | None
    waiting: bool
    place: str = ""


class _Ed25519Registry(jws.JWSRegistry):
    """One algorithm under its two names; joserfc warns at each use of the older one."""

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"algorithm {name}")
        return super().get_alg("Ed25519")


class AccessTokens:
    """Checks access tokens with identity's public key."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._key = OKPKey.import_key(pem)
        self._registry = _Ed25519Registry(algorithms=["Ed25519"])
        self._known: TTLCache[bytes, SignIn] = TTLCache(REMEMBERED_TOKENS, REMEMBERED_SECONDS)
        self._lock = threading.Lock()

    def verify(self, token: str, now: dt.datetime) -> SignIn:
        """The sign-in behind `token`. Raises NotAllowed: "shared.token_invalid" or "shared.token_expired"."""
        digest = hashlib.sha256(token.encode("ascii", "replace")).digest()
        with self._lock:
            sign_in = self._known.get(digest)
        if sign_in is None:
            sign_in = self._read(token)
            with self._lock:
                self._known[digest] = sign_in
        require_current(sign_in, now)
        return sign_in

    def _read(self, token: str) -> SignIn:
        if not token or len(token) > LONGEST_TOKEN or not token.isascii():
            raise NotAllowed("shared.token_invalid")
        try:
            claims = jwt.decode(token, self._key, registry=self._registry).claims
            return _sign_in(claims)
        except (JoseError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise NotAllowed("shared.token_invalid", "", type(error).__name__) from None


def require_current(sign_in: SignIn, now: dt.datetime) -> None:
    """Raises NotAllowed for a token outside its time."""
    if now >= sign_in.expires_at:
        raise NotAllowed("shared.token_expired")
    if now < sign_in.issued_at - CLOCK_SKEW:
        raise NotAllowed("shared.token_invalid", "", "issued in the future")


def _sign_in(claims: dict[str, Any]) -> SignIn:
    if claims["iss"] != ISSUER:
        raise ValueError("issuer")
    return SignIn(
        account_id=uuid.UUID(claims["sub"]),
        session_id=uuid.UUID(claims["sid"]),
        identity=str(claims["idn"]),
        grants=tuple(Grant(Role(role), str(place)) for role, place in claims["grants"]),
        issued_at=dt.datetime.fromtimestamp(claims["iat"], dt.UTC),
        expires_at=dt.datetime.fromtimestamp(claims["exp"], dt.UTC),
        # Absent in the tokens of an older identity, during a deployment.
        desk=Desk(claims.get("dsk", Desk.TEACHER)),
        elevated_until=instant_in(claims.get("elv")),
        waiting=claims.get("wai", False) is True,
        place=str(claims.get("plc", "")),
    )


def authenticate(request: Request) -> Actor:
    """The actor of a request: anonymous without a token.

    Raises NotAllowed for a token that is malformed, forged, expired or revoked, also on routes open to visitors: a
    client that sends a dead token must learn it.
    """
    token = access_token(request)
    if token is None:
        return visitor(request)
    sign_in = gateway().tokens.verify(token, clock.now())
    gateway().revocations.refuse_revoked(sign_in)
    return actor_of(sign_in, client_address(request))


def access_token(request: Request) -> str | None:
    """The text of the access token; None for a visitor. Raises NotAllowed for another kind of credentials."""
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAllowed("shared.token_invalid", "", "not a bearer token")
    return token.strip()


def actor_of(sign_in: SignIn, address: str) -> Actor:
    """The person of a sign-in, at a network address."""
    return Actor(
        kind=Kind.PERSON,
        account_id=sign_in.account_id,
        identity=sign_in.identity,
        grants=sign_in.grants,
        session_id=sign_in.session_id,
        address=address,
        desk=sign_in.desk,
        elevated_until=sign_in.elevated_until,
        waiting=sign_in.waiting,
        place=sign_in.place,
    )


def visitor(request: Request) -> Actor:
    """Nobody, from the request's address."""
    return dataclasses.replace(ANONYMOUS, address=client_address(request))


def client_address(request: Request) -> str:
    """The client's network address.

    `X-Forwarded-For` is believed only for as many hops as the operator says stand before us: anything further left
    was written by the client itself.
    """
    hops = gateway().settings.trusted_proxies
    if not hops:
        return request.remote_addr or ""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    chain = [*forwarded, request.remote_addr or ""]
    return chain[-1 - min(hops, len(chain) - 1)][:64]


def user_agent(request: Request) -> str:
    """What the client says of itself, as far as it is plain text."""
    said = request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT]
    return "".join(character for character in said if " " <= character <= "~")


def actor_token(audience: str) -> str:
    """A 30-second token for one service; made per call, so that a slow first call cannot age the second's."""
    return gateway().signer.sign(call().actor, audience)


def require_account() -> Actor:
    """The signed-in actor, for the few routes that call no service. Raises NotAllowed for a visitor."""
    actor = call().actor
    if actor.account_id is None:
        raise NotAllowed("shared.sign_in_first")
    return actor
