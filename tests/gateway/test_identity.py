"""Identity over HTTP: status, body, permission and language; its policies are the real ones."""

import uuid

import pytest

from gateway.blueprints import access, identity
from services.identity import contract
from services.shared.errors import InvalidInput, LimitReached, NotAllowed
from services.shared.ids import new_id

ACCOUNT = {
    "account_id": str(new_id()),
    "phone": "138****8000",
    "identities": ["TEACHER"],
    "active_identity": "TEACHER",
    "has_password": True,
    "locked": False,
    "grants": [],
    "registered_at": "2023-01-12T02:00:00.000000Z",
}
TOKENS = {"access_token": "a.b.c", "refresh_token": "r", "expires_in_seconds": 600}
SIGNED_IN = {**TOKENS, "desk": "TEACHER", "account": ACCOUNT}


@pytest.fixture
def http(make_app):
    return make_app(access, identity).test_client()


def test_a_visitor_registers(http, bus):
    bus.answer("identity", "register_account", {"account": ACCOUNT, "tokens": TOKENS})
    response = http.post("/api/v1/accounts", json={"phone": "13800138000", "sms_code": "012345"})
    assert response.status_code == 201
    assert response.json == {"account": ACCOUNT, "tokens": TOKENS}
    told = {key: value for key, value in bus.sent[-1].arguments.items() if key != "user_agent"}
    assert told == {"phone": "13800138000", "sms_code": "012345", "identity": "TEACHER"}
    assert "no-store" in response.headers["Cache-Control"]


def test_signing_in_and_refreshing(http, bus):
    bus.answer("identity", "sign_in", SIGNED_IN)
    bus.answer("identity", "refresh_session", SIGNED_IN)
    assert (
        http.post("/api/v1/sessions", json={"phone": "13800138000", "password": "correct-horse-9"}).status_code == 201
    )
    assert http.post("/api/v1/sessions/refresh", json={"refresh_token": "r"}).json["refresh_token"] == "r"


@pytest.mark.parametrize("code", ["identity.sign_in_refused", "identity.sign_in_again"])
def test_a_refused_sign_in_is_401_in_both_languages(http, bus, code):
    bus.answer("identity", "sign_in", NotAllowed(code))
    for language, text in zip(("zh", "en"), contract.ERRORS[code], strict=True):
        response = http.post(
            "/api/v1/sessions",
            json={"phone": "13800138000", "password": "x"},
            headers={"Accept-Language": language},
        )
        assert response.status_code == 401
        assert (response.json["code"], response.json["detail"]) == (code, text)


def test_the_wait_after_too_many_codes_is_told(http, bus):
    bus.answer("identity", "request_sms_code", LimitReached("identity.sms_too_soon", "phone", "retry_after_seconds=60"))
    response = http.post("/api/v1/sms-codes", json={"phone": "13800138000", "purpose": "REGISTER"})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")


def test_an_address_is_confirmed(http, bus, tokens):
    bus.answer("identity", "request_email_code", {"expires_in_seconds": 1800, "resend_after_seconds": 60})
    bus.answer("identity", "confirm_email", {"email": "z@example.com", "email_confirmed": True})
    sent = http.post("/api/v1/profiles/me/email-codes", headers=tokens.headers())
    assert (sent.status_code, sent.json["expires_in_seconds"]) == (202, 1800)
    answer = http.post("/api/v1/profiles/me/email-confirmation", json={"code": "012345"}, headers=tokens.headers())
    assert (answer.status_code, answer.json["email_confirmed"]) == (200, True)
    assert bus.sent[-1].arguments == {"code": "012345"}
    assert http.post("/api/v1/profiles/me/email-codes").status_code == 401
    assert http.post("/api/v1/profiles/me/email-confirmation", json={}, headers=tokens.headers()).status_code == 400


def test_a_field_at_fault_is_named(http, bus, tokens):
    bus.answer("identity", "update_profile", InvalidInput("identity.id_no_check_digit", "id_no"))
    response = http.patch("/api/v1/profiles/me", json={"id_no": "1"}, headers=tokens.headers())
    assert (response.status_code, response.json["code"], response.json["field"]) == (
        400,
        "identity.id_no_check_digit",
        "id_no",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/accounts/me"),
        ("GET", "/profiles/me"),
        ("PATCH", "/profiles/me"),
        ("DELETE", "/sessions/current"),
        ("POST", "/accounts/me/identity"),
        ("POST", "/accounts/me/password"),
        ("POST", f"/accounts/{uuid.uuid4()}/unlocking"),
    ],
)
def test_visitors_are_asked_to_sign_in(http, bus, method, path):
    bodies = {
        "/accounts/me/identity": {"identity": "TEACHER"},
        "/accounts/me/password": {"password": "correct-horse-9"},
    }
    body = bodies.get(path, {} if method == "PATCH" else None)
    response = http.open(f"/api/v1{path}", method=method, json=body)
    assert (response.status_code, response.json["code"]) == (401, "shared.sign_in_first")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/sms-codes", {"phone": "13800138000"}, "purpose"),
        ("/sms-codes", {"phone": "13800138000", "purpose": "SPAM"}, "purpose"),
        ("/sms-codes", {"phone": 13800138000, "purpose": "REGISTER"}, "phone"),
        ("/accounts", {"phone": "13800138000", "sms_code": "1", "is_admin": True}, "is_admin"),
        ("/accounts", {"phone": " ", "sms_code": "1"}, "phone"),
        ("/sessions", {"phone": "13800138000", "password": {"$ne": ""}}, "password"),
        ("/sessions/refresh", {"refresh_token": "x" * 201}, "refresh_token"),
    ],
)
def test_bad_bodies_never_reach_the_service(http, bus, path, body, field):
    response = http.post(f"/api/v1{path}", json=body)
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


def test_signing_out_has_no_body(http, bus, tokens):
    bus.answer("identity", "sign_out", {})
    response = http.delete("/api/v1/sessions/current", headers=tokens.headers())
    assert (response.status_code, response.data) == (204, b"")
