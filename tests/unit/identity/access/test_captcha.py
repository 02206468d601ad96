"""Captchas: solved ones are accepted, everything forged, altered, foreign or old is not."""

import base64
import json
import time

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.access import captcha
from services.identity.access.captcha import Captchas

CAPTCHAS = Captchas(b"k" * 32, 4)


def solved(challenge):
    found = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
    return altcha.Payload(altcha.Challenge.from_dict(challenge), found).to_base64()


def altered(solution, change):
    body = json.loads(base64.b64decode(solution))
    change(body)
    return base64.b64encode(json.dumps(body).encode()).decode()


def test_a_solved_captcha_is_accepted_and_tells_its_number():
    challenge = CAPTCHAS.challenge()
    accepted = CAPTCHAS.check(solved(challenge))
    assert accepted is not None
    assert accepted.nonce == challenge["parameters"]["nonce"]
    assert 0 < accepted.expires_at.timestamp() - time.time() <= captcha.LIFETIME_SECONDS


def test_no_two_challenges_are_alike():
    assert CAPTCHAS.challenge()["parameters"]["nonce"] != CAPTCHAS.challenge()["parameters"]["nonce"]


def test_another_installations_captcha_is_refused():
    assert Captchas(b"x" * 32, 4).check(solved(CAPTCHAS.challenge())) is None


def test_an_old_one_is_refused(monkeypatch):
    solution = solved(CAPTCHAS.challenge())
    now = time.time()
    monkeypatch.setattr(captcha.time, "time", lambda: now + captcha.LIFETIME_SECONDS + 1)
    assert CAPTCHAS.check(solution) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["challenge"]["parameters"].update(expiresAt=int(time.time()) + 10**6),
        lambda body: body["challenge"]["parameters"].update(nonce="0" * 32),
        lambda body: body["challenge"]["parameters"].update(cost=1),
        lambda body: body["challenge"]["parameters"].update(keyPrefix=""),
        lambda body: body["challenge"].update(signature=None),
        lambda body: body["challenge"].update(signature="0" * 64),
        lambda body: body["solution"].update(derivedKey="0" * 64),
        lambda body: body["solution"].update(derivedKey=""),
        lambda body: body.pop("solution"),
        lambda body: body["challenge"]["parameters"].update(expiresAt="soon"),
        lambda body: body["challenge"]["parameters"].update(expiresAt=10**30),
    ],
)
def test_an_altered_one_is_refused(change):
    assert CAPTCHAS.check(altered(solved(CAPTCHAS.challenge()), change)) is None


def test_guessing_a_solution_without_the_search_is_refused():
    challenge = CAPTCHAS.challenge()
    prefix = challenge["parameters"]["keyPrefix"]
    lazy = {"challenge": challenge, "solution": {"counter": 0, "derivedKey": prefix + prefix}}
    assert CAPTCHAS.check(base64.b64encode(json.dumps(lazy).encode()).decode()) is None


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()))
def test_rubbish_is_refused(text):
    assert CAPTCHAS.check(text) is None


def test_an_endless_or_deep_one_is_refused():
    assert CAPTCHAS.check("A" * 10_000) is None
    assert CAPTCHAS.check(base64.b64encode(b'{"challenge":' + b"[" * 700 + b"]" * 700 + b"}").decode()) is None
