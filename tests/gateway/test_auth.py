"""Who asks: which tokens are believed, what reaches the services, and how fast a revocation does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import revocations
from services.shared import clock
from services.shared.actor import Desk, Kind, Role
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from tests.fakes import FakeBus
from tests.gateway import sample
from tests.gateway.conftest import Tokens

NOTE = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"


def test_the_services_get_a_signed_actor(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    account_id = new_id()
    bus.answer("notes", "get_note", {"title": "x"})
    grant = (Role.COUNTY_ADMIN, "CN/440000/440100/440103")
    assert client.get(NOTE, headers=tokens.headers(account_id, grant)).status_code == 200
    (sent,) = bus.sent
    assert sent.actor.kind is Kind.PERSON
    assert sent.actor.account_id == account_id
    assert [(item.role, item.place) for item in sent.actor.grants] == [grant]
    assert sent.actor.address == "127.0.0.1"


def test_a_visitor_is_anonymous(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", {"title": "x"})
    assert client.get(NOTE).status_code == 200
    assert bus.sent[0].actor.kind is Kind.ANONYMOUS


def bad_tokens(tokens: Tokens) -> dict[str, str]:
    good = tokens.make()
    head, body, signature = good.split(".")
    now = int(clock.now().timestamp())
    return {
        "not a token": "abc",
        "empty": "",
        "two parts": f"{head}.{body}",
        "altered body": f"{head}.{body[:-2]}AA.{signature}",
        "altered signature": f"{head}.{body}.{'A' * len(signature)}",
        "no signature": f"eyJhbGciOiJub25lIn0.{body}.",
        "another key": tokens.sign({"iss": "identity", "iat": now, "exp": now + 600}, purpose="play-token"),
        "an actor's key": tokens.sign({"iss": "identity", "iat": now, "exp": now + 600}, purpose="actor.identity"),
        "foreign issuer": tokens.make(iss="elsewhere"),
        "no issuer": tokens.make(iss=None),
        "no subject": tokens.make(sub=None),
        "subject is no id": tokens.make(sub="1"),
        "unknown role": tokens.make(grants=[["EMPEROR", "CN"]]),
        "grants of another shape": tokens.make(grants="CN"),
        "expiry is text": tokens.make(exp="never"),
        "expiry beyond time": tokens.make(exp=10**30),
        "issued in the future": tokens.make(iat=now + 3600, exp=now + 7200),
        "not ASCII": "é" * 20,
    }


BAD = [
    "not a token",
    "empty",
    "two parts",
    "altered body",
    "altered signature",
    "no signature",
    "another key",
    "an actor's key",
    "foreign issuer",
    "no issuer",
    "no subject",
    "subject is no id",
    "unknown role",
    "grants of another shape",
    "expiry is text",
    "expiry beyond time",
    "issued in the future",
    "not ASCII",
]


@pytest.mark.parametrize("name", BAD)
def test_bad_tokens_are_refused_even_where_visitors_may_enter(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, name: str
) -> None:
    answer = client.get(NOTE, headers={"Authorization": f"Bearer {bad_tokens(tokens)[name]}"})
    assert answer.status_code == 401
    assert answer.json["code"] == "shared.token_invalid"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert bus.sent == []


def test_an_endless_token_is_a_bad_header(client: FlaskClient, tokens: Tokens) -> None:
    assert client.get(NOTE, headers={"Authorization": f"Bearer {'x' * 9000}"}).status_code == 400


def test_other_schemes_are_refused(client: FlaskClient) -> None:
    assert client.get(NOTE, headers={"Authorization": "Basic dXNlcjpwYXNz"}).status_code == 401


def test_expiry_follows_the_business_clock(client: FlaskClient, bus: FakeBus, tokens: Tokens, fixed_clock: Any) -> None:
    bus.answer("notes", "get_note", {})
    headers = tokens.headers()
    assert client.get(NOTE, headers=headers).status_code == 200
    fixed_clock.instant += dt.timedelta(seconds=599)
    assert client.get(NOTE, headers=headers).status_code == 200
    fixed_clock.instant += dt.timedelta(seconds=1)
    assert client.get(NOTE, headers=headers).json["code"] == "shared.token_expired"


def test_both_names_of_the_algorithm(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "get_note", {})
    now = int(clock.now().timestamp())
    claims = {
        "iss": "identity",
        "sub": str(new_id()),
        "sid": str(new_id()),
        "idn": "TEACHER",
        "grants": [],
        "iat": now,
        "exp": now + 600,
    }
    token = tokens.sign(claims, algorithm="Ed25519")
    assert client.get(NOTE, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def revocation(account_id: uuid.UUID, session_id: uuid.UUID | None = None) -> dict[str, Any]:
    return {
        "account_id": str(account_id),
        "session_id": str(session_id) if session_id else None,
        "not_before": clock.format_instant(clock.now()),
    }


def wait_for(question: Callable[[], bool]) -> float:
    started = time.monotonic()
    while not question():
        assert time.monotonic() - started < 5, "never came true"
        time.sleep(0.01)
    return time.monotonic() - started


def test_a_revocation_bites_within_a_second(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "get_note", {})
    account_id, other = new_id(), tokens.headers()
    headers = tokens.headers(account_id)
    assert client.get(NOTE, headers=headers).status_code == 200
    bus.broadcast(revocation(account_id))
    seconds = wait_for(lambda: client.get(NOTE, headers=headers).status_code == 401)
    assert seconds < 1
    assert client.get(NOTE, headers=headers).json["code"] == "shared.token_revoked"
    assert client.get(NOTE, headers=other).status_code == 200


def test_ending_one_sign_in_leaves_the_others(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "get_note", {})
    account_id, session_id = new_id(), new_id()
    phone, laptop = tokens.headers(account_id, sid=str(session_id)), tokens.headers(account_id)
    assert client.get(NOTE, headers=phone).status_code == 200
    bus.broadcast(revocation(account_id, session_id))
    wait_for(lambda: client.get(NOTE, headers=phone).status_code == 401)
    assert client.get(NOTE, headers=laptop).status_code == 200


def test_a_token_issued_later_is_good(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "get_note", {})
    account_id = new_id()
    bus.answer("identity", "list_revocations", {"items": [revocation(account_id)]})
    old = tokens.headers(account_id, iat=int(clock.now().timestamp()) - 10)
    new = tokens.headers(account_id, iat=int(clock.now().timestamp()) + 1)
    assert client.get(NOTE, headers=old).status_code == 401
    assert client.get(NOTE, headers=new).status_code == 200


def test_what_was_missed_before_the_start_is_asked_for(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    account_id = new_id()
    bus.answer("identity", "list_revocations", {"items": [revocation(account_id)]})
    assert client.get(NOTE, headers=tokens.headers(account_id)).json["code"] == "shared.token_revoked"


def test_out_of_touch_old_tokens_are_unavailable_and_new_ones_pass(
    client: FlaskClient, app: Flask, bus: FakeBus, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.answer("notes", "get_note", {})
    headers = tokens.headers()
    assert client.get(NOTE, headers=headers).status_code == 200
    monkeypatch.setattr(revocations, "GRACE_SECONDS", 0.1)
    bus.down = True
    known = app.extensions["yanxiu"].revocations
    wait_for(lambda: not known.in_touch())
    refused = client.get(NOTE, headers=headers)
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert client.get("/ready").status_code == 503
    # Past the token check, the call itself is what fails now.
    later = tokens.headers(iat=int(clock.now().timestamp()) + 2)
    assert client.get(NOTE, headers=later).json["code"] == "shared.unavailable"
    bus.down = False
    wait_for(known.in_touch)
    assert client.get(NOTE, headers=headers).status_code == 200
    assert client.get("/ready").status_code == 200


def test_a_process_that_was_never_in_touch_believes_no_token(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "FIRST_TOUCH_SECONDS", 0.05)
    bus.down = True
    assert client.get(NOTE, headers=tokens.headers()).status_code == 503
    bus.down = False
    bus.answer("notes", "get_note", {})
    assert client.get(NOTE).status_code == 200


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "9.9.9.9", "127.0.0.1"),
        (1, "9.9.9.9", "9.9.9.9"),
        (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (2, "6.6.6.6, 9.9.9.9", "6.6.6.6"),
        (2, "9.9.9.9", "9.9.9.9"),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_address_comes_from_trusted_proxies_only(
    make_app: Callable[..., Flask], bus: FakeBus, hops: int, forwarded: str, address: str
) -> None:
    bus.answer("notes", "get_note", {})
    client = make_app(sample, trusted_proxies=hops).test_client()
    client.get(NOTE, headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert bus.sent[0].actor.address == address


def test_the_actor_token_is_bound_to_its_service(app: Flask, gateway_keyring: KeyRing, tokens: Tokens) -> None:
    from gateway.auth import actor_token
    from gateway.context import call
    from services.shared.actor import ActorVerifier
    from services.shared.errors import NotAllowed

    verifier = ActorVerifier({"gateway": gateway_keyring.verify_key("actor.gateway")})
    with app.test_request_context(NOTE):
        app.preprocess_request()
        call().actor = dataclasses.replace(call().actor, kind=Kind.PERSON, account_id=new_id())
        token = actor_token("org")
    assert verifier.verify(token, "org").kind is Kind.PERSON
    with pytest.raises(NotAllowed):
        verifier.verify(token, "identity")


def test_desk_step_up_and_waiting_reach_the_services(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "get_note", {"title": "x"})
    until = clock.now().replace(microsecond=250_000)
    client.get(NOTE, headers=tokens.headers(None, dsk="ADMINISTRATOR", elv=until.timestamp(), wai=True))
    client.get(NOTE, headers=tokens.headers(None, dsk=None, elv=None, wai=None))
    full, older = (sent.actor for sent in bus.sent)
    assert (full.desk, full.elevated_until, full.waiting) == (Desk.ADMINISTRATOR, until, True)
    # An identity of the release before says nothing of these: no elevation then, and nobody waits.
    assert (older.desk, older.elevated_until, older.waiting) == (Desk.TEACHER, None, False)


@pytest.mark.parametrize("claims", [{"dsk": "EMPEROR"}, {"elv": "soon"}, {"elv": 10**30}])
def test_claims_of_another_form_are_refused(client: FlaskClient, tokens: Tokens, claims: dict[str, Any]) -> None:
    answer = client.get(NOTE, headers=tokens.headers(None, **claims))
    assert (answer.status_code, answer.json["code"]) == (401, "shared.token_invalid")
