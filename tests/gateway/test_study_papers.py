"""A gateway vouches for the play tokens that it hands out; what it vouched for needs no signature checked later."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from gateway import auth
from gateway.blueprints import learning as blueprint
from services.learning.contract import tokens as papers
from services.shared import clock
from services.shared.keys import KeyRing
from tests.gateway.test_learning import Player


@pytest.fixture
def handed_out(make_app, tokens, gateway_keyring, bus):
    """A player whose play token came through the gateway; opening and renewal hand out alike."""
    player = Player(make_app(blueprint), tokens, gateway_keyring)
    bus.answer("learning", "open_study_session", lambda _arguments, _actor: {"play_token": player.signed()})
    bus.answer("learning", "renew_play_token", lambda _arguments, _actor: {"play_token": player.signed()})
    return player


def _open(player: Any) -> str:
    body = {"activity_id": str(player.token.activity_id), "client_id": "device-one"}
    opened = player.client.post("/api/v1/study-sessions", json=body, headers=player.headers)
    return str(opened.json["play_token"])


def _renew(player: Any) -> str:
    address = f"/api/v1/study-sessions/{player.token.study_session_id}/token"
    return str(player.client.post(address, headers=player.headers).json["play_token"])


def _forget(player: Any) -> None:
    """As another gateway process, which has never met the teacher."""
    parts = player.client.application.extensions["yanxiu"]
    parts.tokens._known.clear()
    parts.study_papers._known.clear()


@pytest.fixture
def checked(monkeypatch):
    """Every signature that is checked from now on."""
    seen: list[str] = []
    read, verify = papers._read_signed, auth.jwt.decode

    def read_signed(text: str, is_signed: Any) -> Any:
        def noted(signature: bytes, body: bytes) -> bool:
            if "is_by" in getattr(is_signed, "__qualname__", ""):
                seen.append("play token")
            return bool(is_signed(signature, body))

        return read(text, noted)

    monkeypatch.setattr(papers, "_read_signed", read_signed)
    monkeypatch.setattr(auth.jwt, "decode", lambda *a, **o: seen.append("access token") or verify(*a, **o))
    return seen


@pytest.mark.parametrize("ask", [_open, _renew])
def test_a_report_with_a_voucher_needs_no_signature_checked(handed_out, checked, ask):
    play_token = ask(handed_out)
    _forget(handed_out)
    checked.clear()
    assert handed_out.report((0, 60), play_token=play_token).status_code == 202
    assert checked == []


def test_twin_a_bare_token_needs_both(handed_out, checked):
    assert handed_out.report((0, 60)).status_code == 202
    assert sorted(checked) == ["access token", "play token"]


def test_with_another_access_token_of_the_person_that_one_is_checked(handed_out, tokens, checked):
    play_token = _open(handed_out)
    handed_out.headers = tokens.headers(handed_out.teacher_id)
    _forget(handed_out)
    checked.clear()
    assert handed_out.report((0, 60), play_token=play_token).status_code == 202
    assert checked == ["access token"]


def test_a_stolen_play_token_is_of_no_use_to_another(handed_out, tokens, bus):
    play_token = _open(handed_out)
    handed_out.headers = tokens.headers()
    stolen = handed_out.report((0, 60), play_token=play_token)
    assert (stolen.status_code, stolen.json["code"]) == (404, "learning.session_unknown")
    assert bus.published == []


def test_a_voucher_does_not_outlive_the_access_token(handed_out, tokens, monkeypatch):
    now = int(clock.now().timestamp())
    handed_out.headers = tokens.headers(handed_out.teacher_id, iat=now, exp=now + 30)
    play_token = _open(handed_out)
    later = clock.now() + dt.timedelta(seconds=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    refused = handed_out.report((0, 60), play_token=play_token)
    assert (refused.status_code, refused.json["code"]) == (401, "shared.token_expired")


@pytest.mark.parametrize("whole_account", [False, True])
def test_a_voucher_does_not_outlive_the_sign_in(handed_out, tokens, whole_account):
    session_id = str(handed_out.token.study_session_id)  # any id will do
    handed_out.headers = tokens.headers(handed_out.teacher_id, sid=session_id)
    play_token = _open(handed_out)
    handed_out.client.application.extensions["yanxiu"].revocations.add(
        {
            "account_id": str(handed_out.teacher_id),
            "session_id": None if whole_account else session_id,
            "not_before": clock.format_instant(clock.now()),
        }
    )
    refused = handed_out.report((0, 60), play_token=play_token)
    assert (refused.status_code, refused.json["code"]) == (401, "shared.token_revoked")


def _parts(text: str) -> list[str]:
    return text.split(".")


@pytest.mark.parametrize("position", range(4))
def test_an_altered_paper_is_refused(handed_out, bus, position):
    parts = _parts(_open(handed_out))
    parts[position] = ("A" if parts[position][0] != "A" else "B") + parts[position][1:]
    refused = handed_out.report((0, 60), play_token=".".join(parts))
    assert (refused.status_code, refused.json["code"]) == (403, "learning.play_token_invalid")
    assert bus.published == []


def test_parts_of_two_papers_are_no_paper(handed_out, bus):
    mine = _parts(_open(handed_out))
    handed_out.token = dataclasses.replace(handed_out.token, fence=2)
    other = _parts(_open(handed_out))
    for mixed in (mine[:2] + other[2:], other[:2] + mine[2:], mine[:3] + other[3:]):
        assert handed_out.report((0, 60), play_token=".".join(mixed)).json["code"] == "learning.play_token_invalid"
    assert bus.published == []


def test_a_receipts_seal_vouches_for_nothing(handed_out, gateway_keyring: KeyRing):
    """One secret seals both: a text that passes as a receipt must not pass as a voucher."""
    from gateway.study_papers import StudyPapers

    sealed = StudyPapers(gateway_keyring)
    play_token = handed_out.signed()
    claims = _parts(_open(handed_out))[2]
    forged = f"{play_token}.{claims}"
    seal = papers.to_text(sealed._seal(forged.encode()))
    refused = handed_out.report((0, 60), play_token=f"{forged}.{seal}")
    assert refused.json["code"] == "learning.play_token_invalid"
