"""Who acts: the signed statement that travels with each call on the bus.

The gateway mints it from the access token, bound to one audience, valid 30 seconds; services trust no other header.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import json
import time
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.shared.errors import NotAllowed

LIFETIME = dt.timedelta(seconds=30)  # architecture.md decision 16
CLOCK_SKEW = dt.timedelta(seconds=5)  # between two hosts that keep NTP


class Role(enum.StrEnum):
    """What a grant allows (`domain.md` §1.1); A-numbers in the comments."""

    PRINCIPAL = "PRINCIPAL"  # A5
    SCHOOL_ADMIN = "SCHOOL_ADMIN"  # A6
    COUNTY_ADMIN = "COUNTY_ADMIN"  # A7, county
    CITY_ADMIN = "CITY_ADMIN"  # A7, city
    PROVINCE_ADMIN = "PROVINCE_ADMIN"  # A7, province
    SUPER_ADMIN = "SUPER_ADMIN"  # A8, at the level of its place
    DISTRICT_INSTITUTION = "DISTRICT_INSTITUTION"  # A9, county
    CITY_CENTRE = "CITY_CENTRE"  # A10, city
    TRAINING_INSTITUTION = "TRAINING_INSTITUTION"  # A11, a unit
    NATIONAL_OPERATOR = "NATIONAL_OPERATOR"  # A13
    SUPPORT_AGENT = "SUPPORT_AGENT"  # A14, nation
    AUDITOR = "AUDITOR"  # A17, nation or province


REGION_ADMINS = frozenset({Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.PROVINCE_ADMIN, Role.SUPER_ADMIN})


class Desk(enum.StrEnum):
    """Where an account works in one sign-in: as itself, or as the administrator that its grants make it.

    At the teacher's desk a token carries no grants, so whoever studies at home holds no administrator's rights.
    """

    TEACHER = "TEACHER"
    ADMINISTRATOR = "ADMINISTRATOR"


class Kind(enum.StrEnum):
    ANONYMOUS = "ANONYMOUS"
    PERSON = "PERSON"
    SERVICE = "SERVICE"


@dataclasses.dataclass(frozen=True)
class Grant:
    """A role at a place; `place` is a materialised path such as `CN/440000/440100/440103`."""

    role: Role
    place: str


def covers(granted: str, place: str) -> bool:
    """Whether `place` is `granted` or lies below it in the tree."""
    return place == granted or place.startswith(granted + "/")


@dataclasses.dataclass(frozen=True)
class Actor:
    """Who asks. `account_id` is also the teacher's id: one person, one account, one id (`docs/glossary.md`)."""

    kind: Kind = Kind.ANONYMOUS
    account_id: uuid.UUID | None = None
    identity: str = ""  # the active identity: TEACHER, STUDENT or GUARDIAN
    grants: tuple[Grant, ...] = ()
    session_id: uuid.UUID | None = None
    service: str = ""  # of a SERVICE actor: its name
    address: str = ""  # the client's network address, for limits and audit
    desk: Desk = Desk.TEACHER
    elevated_until: dt.datetime | None = None  # end of the step-up by SMS code (`domain.md` §3.11)
    waiting: bool = False  # GATED tenant: may only finish its registration until a school vouches (`domain.md` §3.1)
    # Where the own school stands, as of the access token: good for choosing what is shown, no proof of where somebody is.
    place: str = ""

    @property
    def key(self) -> str:
        """A short stable name for idempotency and audit rows."""
        if self.kind is Kind.SERVICE:
            return f"service:{self.service}"
        return str(self.account_id) if self.account_id else f"anonymous:{self.address}"

    def is_elevated(self, now: dt.datetime) -> bool:
        """Whether the person has typed a code from the bound phone lately, in this very sign-in."""
        return self.elevated_until is not None and now < self.elevated_until

    def places(self, roles: frozenset[Role]) -> tuple[str, ...]:
        return tuple(grant.place for grant in self.grants if grant.role in roles)


ANONYMOUS = Actor()


def service_actor(name: str) -> Actor:
    return Actor(kind=Kind.SERVICE, service=name)


def instant_in(claim: float | None) -> dt.datetime | None:
    """The instant that a numeric claim tells. Raises ValueError, TypeError or OverflowError for anything else."""
    return None if claim is None else dt.datetime.fromtimestamp(claim, dt.UTC)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class ActorSigner:
    """Mints actor tokens with the private key of one issuer ("gateway", or a service that calls another)."""

    def __init__(self, issuer: str, key: Ed25519PrivateKey) -> None:
        self._issuer = issuer
        self._key = key

    def sign(self, actor: Actor, audience: str) -> str:
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "exp": time.time() + LIFETIME.total_seconds(),
            "kind": actor.kind,
            "sub": str(actor.account_id) if actor.account_id else "",
            "idn": actor.identity,
            "grants": [[grant.role, grant.place] for grant in actor.grants],
            "sid": str(actor.session_id) if actor.session_id else "",
            "svc": actor.service,
            "adr": actor.address,
            "dsk": actor.desk,
            "elv": actor.elevated_until.timestamp() if actor.elevated_until else None,
            "wai": actor.waiting,
            "plc": actor.place,
        }
        body = json.dumps(claims, separators=(",", ":")).encode()
        return f"{_encode(body)}.{_encode(self._key.sign(body))}"


class ActorVerifier:
    """Checks actor tokens against the public keys of the issuers that this process trusts."""

    def __init__(self, keys: dict[str, Ed25519PublicKey]) -> None:
        self._keys = keys

    def verify(self, token: str, audience: str) -> Actor:
        """The actor named in the token.

        Raises NotAllowed("shared.bad_actor_token") for anything forged, foreign or expired, and for a service issuer
        that speaks for another service: only the gateway and the service itself may name who acts.
        """
        try:
            encoded, signature = token.split(".")
            body = _decode(encoded)
            claims = json.loads(body)
            self._keys[claims["iss"]].verify(_decode(signature), body)
            if claims["aud"] != audience or claims["exp"] + CLOCK_SKEW.total_seconds() < time.time():
                raise ValueError("audience or expiry")
            kind = Kind(claims["kind"])
            if kind is Kind.SERVICE and claims["svc"] != claims["iss"]:
                raise ValueError("a service may speak only for itself")
            return Actor(
                kind=kind,
                account_id=uuid.UUID(claims["sub"]) if claims["sub"] else None,
                identity=claims["idn"],
                grants=tuple(Grant(Role(role), place) for role, place in claims["grants"]),
                session_id=uuid.UUID(claims["sid"]) if claims["sid"] else None,
                service=claims["svc"],
                address=claims["adr"],
                # Absent in the tokens of an older gateway, during a deployment.
                desk=Desk(claims.get("dsk", Desk.TEACHER)),
                elevated_until=instant_in(claims.get("elv")),
                waiting=claims.get("wai", False) is True,
                place=str(claims.get("plc", "")),
            )
        except (ValueError, KeyError, TypeError, OverflowError, InvalidSignature) as error:
            raise NotAllowed("shared.bad_actor_token", "", type(error).__name__) from None
