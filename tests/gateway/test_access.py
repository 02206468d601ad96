"""Signing in over HTTP: what reaches identity, what comes back, and who is let through by the real policies."""

import uuid

import pytest

from gateway.blueprints import access
from services.identity import contract
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound

ACCOUNT_ID = "a1a851c0-2a31-4699-bae2-faee17ce9c8e"
SCHOOL = "CN/440000/440100/440103/s1"
CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36"
TOKEN = {"access_token": "a.b.c", "expires_in_seconds": 600}
AT_DESK = {**TOKEN, "desk": "ADMINISTRATOR"}


@pytest.fixture
def http(make_app):
    return make_app(access).test_client()


def test_a_captcha_is_for_everybody_and_never_cached(http, bus):
    challenge = {"parameters": {"nonce": "x"}, "signature": "y"}
    bus.answer("identity", "issue_captcha", {"challenge": challenge})
    response = http.post("/api/v1/captchas")
    assert (response.status_code, response.json) == (201, {"challenge": challenge})
    assert "no-store" in response.headers["Cache-Control"]


def test_an_administrator_signs_in_with_everything(http, bus):
    body = {
        "login": "13800138000", "password": "correct-horse-9", "sms_code": "012345", "captcha": "c2", "desk": "ADMINISTRATOR"
    }  # fmt: skip
    bus.answer("identity", "sign_in", {**AT_DESK, "refresh_token": "r", "account": {}})
    response = http.post("/api/v1/sessions", json=body, headers={"User-Agent": CHROME})
    assert (response.status_code, response.json["desk"]) == (201, "ADMINISTRATOR")
    assert bus.sent[-1].arguments == {**body, "user_agent": CHROME}


@pytest.mark.parametrize("said", ["a" * 5000, "\xfcmlaut \x7f", ""])
def test_a_strange_user_agent_keeps_nobody_out(http, bus, said):
    bus.answer("identity", "sign_in", {**AT_DESK, "refresh_token": "r", "account": {}})
    body = {"login": "13800138000", "password": "x"}
    response = http.post("/api/v1/sessions", json=body, headers={"User-Agent": said})
    assert response.status_code in (201, 400)  # a control character is no header
    for sent in bus.sent:
        assert sent.arguments["user_agent"].isascii()
        assert len(sent.arguments["user_agent"]) <= 300


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (InvalidInput("identity.captcha_needed", "captcha"), 400),
        (InvalidInput("identity.captcha_refused", "captcha"), 400),
        (NotAllowed("identity.sign_in_refused"), 401),
        (NotAllowed("identity.no_desk"), 403),
        (NotAllowed("identity.name_missing"), 403),
        (Conflict("identity.password_must_change", "new_password"), 409),
        (LimitReached("identity.sign_in_limit", "", "retry_after_seconds=900"), 429),
    ],
)
def test_refusals_of_a_sign_in_are_told_in_both_languages(http, bus, refusal, status):
    bus.answer("identity", "sign_in", refusal)
    for language, text in zip(("zh", "en"), contract.ERRORS[refusal.code], strict=True):
        response = http.post(
            "/api/v1/sessions", json={"login": "x", "password": "y"}, headers={"Accept-Language": language}
        )
        assert (response.status_code, response.json["code"], response.json["detail"]) == (status, refusal.code, text)
    if status == 429:
        assert response.headers["Retry-After"] == "900"


def test_choosing_a_desk_and_a_wrong_proof_does_not_look_like_a_lost_sign_in(http, bus, tokens):
    bus.answer("identity", "choose_desk", AT_DESK)
    body = {"desk": "ADMINISTRATOR", "password": "x", "sms_code": "012345", "captcha": "c"}
    assert http.post("/api/v1/sessions/current/desk", json=body, headers=tokens.headers()).json == AT_DESK
    bus.answer("identity", "choose_desk", NotAllowed("identity.desk_refused"))
    assert http.post("/api/v1/sessions/current/desk", json=body, headers=tokens.headers()).status_code == 403


def test_stepping_up(http, bus, tokens):
    bus.answer("identity", "request_step_up_code", {"expires_in_seconds": 300, "resend_after_seconds": 60})
    bus.answer("identity", "step_up", {**AT_DESK, "elevated_until": "2023-01-12T02:30:00.000000Z"})
    assert http.post("/api/v1/step-up-codes", headers=tokens.headers()).status_code == 202
    assert bus.sent[-1].arguments == {}
    response = http.post("/api/v1/step-up", json={"sms_code": "012345"}, headers=tokens.headers())
    assert response.json == {**AT_DESK, "elevated_until": "2023-01-12T02:30:00.000000Z"}


def test_the_list_of_sign_ins_pages_and_single_ones_are_ended(http, bus, tokens):
    items = [{"session_id": ACCOUNT_ID, "current": True, "method": "PASSWORD", "device": "", "address": "", "desk": "TEACHER",
              "started_at": "2023-01-12T02:00:00.000000Z", "last_used_at": "2023-01-12T02:00:00.000000Z"}]  # fmt: skip
    bus.answer("identity", "list_sign_ins", {"items": items, "next_cursor": ACCOUNT_ID})
    headers = tokens.headers(uuid.UUID(ACCOUNT_ID))
    page = http.get("/api/v1/sessions?limit=1", headers=headers).json
    assert page["items"] == items
    http.get(f"/api/v1/sessions?limit=1&cursor={page['next_cursor']}", headers=headers)
    assert bus.sent[-1].arguments == {"limit": 1, "cursor": ACCOUNT_ID}
    bus.answer("identity", "end_own_sign_in", {})
    assert http.delete(f"/api/v1/sessions/{ACCOUNT_ID}", headers=headers).status_code == 204
    assert bus.sent[-1].arguments == {"session_id": ACCOUNT_ID}
    bus.answer("identity", "end_own_sign_in", NotFound("identity.session_unknown"))
    assert http.delete(f"/api/v1/sessions/{uuid.uuid4()}", headers=headers).status_code == 404
    bus.answer("identity", "end_other_sign_ins", {"ended": 2})
    assert http.delete("/api/v1/sessions/others", headers=headers).json == {"ended": 2}


def test_an_administrator_resets_and_unlocks(http, bus, tokens):
    given = {
        "account_id": ACCOUNT_ID,
        "one_time_password": "K7QM-3WZP-9XBT",
        "expires_at": "2023-01-13T02:00:00.000000Z",
    }
    bus.answer("identity", "reset_password", given)
    headers = tokens.headers(None, (Role.SCHOOL_ADMIN, SCHOOL))
    response = http.post(f"/api/v1/accounts/{ACCOUNT_ID}/password-reset", headers=headers)
    assert (response.status_code, response.json) == (200, given)
    assert "no-store" in response.headers["Cache-Control"]
    bus.answer("identity", "unlock_account", {"account_id": ACCOUNT_ID, "locked": False})
    assert http.post(f"/api/v1/accounts/{ACCOUNT_ID}/unlocking", headers=headers).json["locked"] is False


@pytest.mark.parametrize("path", [f"/accounts/{ACCOUNT_ID}/password-reset", f"/accounts/{ACCOUNT_ID}/unlocking"])
@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.AUDITOR, Role.SUPPORT_AGENT, None])
def test_other_roles_may_not(http, tokens, path, role):
    grants = [(role, SCHOOL)] if role else []
    assert http.post(f"/api/v1{path}", headers=tokens.headers(None, *grants)).status_code == 403


def test_who_waits_for_approval_may_sign_out_but_not_step_up(http, bus, tokens):
    waiting = tokens.headers(None, wai=True)
    bus.answer("identity", "sign_out", {})
    assert http.delete("/api/v1/sessions/current", headers=waiting).status_code == 204
    refused = http.post("/api/v1/step-up-codes", headers=waiting)
    assert (refused.status_code, refused.json["code"]) == (403, "identity.awaiting_approval")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sessions"), ("DELETE", "/sessions/others"), ("DELETE", f"/sessions/{ACCOUNT_ID}"),
        ("POST", "/step-up-codes"), ("GET", "/administrators/me"), ("POST", f"/accounts/{ACCOUNT_ID}/password-reset"),
    ],
)  # fmt: skip
def test_visitors_are_asked_to_sign_in(http, method, path):
    response = http.open(f"/api/v1{path}", method=method)
    assert (response.status_code, response.json["code"]) == (401, "shared.sign_in_first")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/sessions", {"login": "x" * 41, "password": "y"}, "login"),
        ("/sessions", {"login": "x", "password": "y", "desk": "THRONE"}, "desk"),
        ("/sessions", {"login": "x", "password": "y", "captcha": "z" * 4001}, "captcha"),
        ("/sessions/current/desk", {}, "desk"),
        ("/password-recoveries", {"phone": "13800138000", "sms_code": "012345"}, "password"),
        ("/step-up", {"sms_code": 12345}, "sms_code"),
    ],
)
def test_bad_bodies_never_reach_identity(http, bus, tokens, path, body, field):
    response = http.post(f"/api/v1{path}", json=body, headers=tokens.headers())
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []
