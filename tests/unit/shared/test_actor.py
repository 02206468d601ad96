"""Actor tokens: what they carry, and every way in which one must be refused."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.shared import actor as actors
from services.shared.actor import Actor, ActorSigner, ActorVerifier, Desk, Grant, Kind, Role, covers, service_actor
from services.shared.errors import NotAllowed

GATEWAY, LEARNING = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
VERIFIER = ActorVerifier({"gateway": GATEWAY.public_key(), "learning": LEARNING.public_key()})
TEACHER = Actor(
    kind=Kind.PERSON,
    account_id=uuid.UUID(int=7),
    identity="TEACHER",
    grants=(Grant(Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s1"),),
    session_id=uuid.UUID(int=8),
    address="192.0.2.1",
    desk=Desk.ADMINISTRATOR,
    elevated_until=dt.datetime(2023, 1, 10, 2, 30, 0, 125000, tzinfo=dt.UTC),
    waiting=True,
)


def refused(token: str, audience: str = "org") -> str:
    with pytest.raises(NotAllowed) as refusal:
        VERIFIER.verify(token, audience)
    return refusal.value.code


def test_a_token_brings_back_the_same_actor() -> None:
    assert VERIFIER.verify(ActorSigner("gateway", GATEWAY).sign(TEACHER, "org"), "org") == TEACHER


def test_another_audience_is_refused() -> None:
    assert refused(ActorSigner("gateway", GATEWAY).sign(TEACHER, "credits")) == "shared.bad_actor_token"


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = ActorSigner("gateway", GATEWAY).sign(TEACHER, "org")
    now = actors.time.time()
    monkeypatch.setattr(actors.time, "time", lambda: now + 36)
    assert refused(token) == "shared.bad_actor_token"


def test_a_changed_claim_is_refused() -> None:
    body, signature = ActorSigner("gateway", GATEWAY).sign(TEACHER, "org").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["grants"] = [["NATIONAL_OPERATOR", "CN"]]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert refused(f"{forged}.{signature}") == "shared.bad_actor_token"


def test_an_unknown_issuer_is_refused() -> None:
    assert refused(ActorSigner("stranger", Ed25519PrivateKey.generate()).sign(TEACHER, "org"))


def test_the_wrong_key_of_a_known_issuer_is_refused() -> None:
    assert refused(ActorSigner("gateway", LEARNING).sign(TEACHER, "org"))


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "é.ü", "e30.e30", "bnVsbA.e30"])
def test_rubbish_is_refused(token: str) -> None:
    assert refused(token) == "shared.bad_actor_token"


def test_a_service_speaks_only_for_itself() -> None:
    assert VERIFIER.verify(ActorSigner("learning", LEARNING).sign(service_actor("learning"), "org"), "org").service
    assert refused(ActorSigner("learning", LEARNING).sign(service_actor("credits"), "org"))


@pytest.mark.parametrize(
    ("granted", "place", "reached"),
    [
        ("CN/44", "CN/44", True),
        ("CN/44", "CN/44/4401", True),
        ("CN/44", "CN/440", False),  # a longer code with the same beginning is another place
        ("CN/44/4401", "CN/44", False),
        ("CN/44", "", False),
    ],
)
def test_a_grant_covers_its_place_and_what_lies_below(granted: str, place: str, reached: bool) -> None:
    assert covers(granted, place) is reached
