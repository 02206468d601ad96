"""National passes and notices over HTTP."""

import uuid

import pytest

from gateway.blueprints import notices, passes
from services.identity import contract
from services.shared import clock
from services.shared.errors import Conflict, InvalidInput, NotFound
from tests.gateway.test_identity import ACCOUNT, TOKENS

BEGUN = {"authorisation_url": "https://issuer.example/authorize?x=1", "client_key": "k", "expires_in_seconds": 600}
WANTED = {"issuer": "smartedu", "redirect_uri": "https://yanxiu.example/pass-callback"}
BACK = {"state": "s", "code": "c", "client_key": "k"}


@pytest.fixture
def http(make_app):
    return make_app(passes, notices).test_client()


def fresh(tokens):
    return tokens.headers(elv=clock.now().timestamp() + 600)


def test_signing_in_by_a_pass(http, bus):
    bus.answer("identity", "start_pass_sign_in", BEGUN)
    bus.answer("identity", "complete_pass_sign_in", {**TOKENS, "account": ACCOUNT})
    response = http.post("/api/v1/pass-sign-ins", json=WANTED)
    assert (response.status_code, response.json) == (201, BEGUN)
    assert "no-store" in response.headers["Cache-Control"]
    response = http.post("/api/v1/pass-sign-ins/completion", json={**BACK, "iss": "https://issuer.example"})
    assert (response.status_code, response.json["access_token"]) == (201, TOKENS["access_token"])
    assert bus.sent[-1].arguments.items() >= {**BACK, "iss": "https://issuer.example"}.items()


def test_a_pass_of_nobody_is_404_in_both_languages(http, bus):
    bus.answer("identity", "complete_pass_sign_in", NotFound("identity.pass_unbound"))
    for language, text in zip(("zh", "en"), contract.ERRORS["identity.pass_unbound"], strict=True):
        response = http.post("/api/v1/pass-sign-ins/completion", json=BACK, headers={"Accept-Language": language})
        assert (response.status_code, response.json["detail"]) == (404, text)


def test_binding_listing_unbinding(http, bus, tokens):
    bound = {
        "pass_id": str(uuid.uuid4()),
        "issuer": "smartedu",
        "bound_at": "2023-01-12T02:00:00.000000Z",
        "used_at": None,
    }
    bus.answer("identity", "start_pass_binding", BEGUN)
    bus.answer("identity", "complete_pass_binding", bound)
    bus.answer("identity", "list_passes", {"items": [bound]})
    bus.answer("identity", "unbind_pass", {})
    assert http.post("/api/v1/accounts/me/passes", json=WANTED, headers=fresh(tokens)).json == BEGUN
    assert http.post("/api/v1/accounts/me/passes/completion", json=BACK, headers=tokens.headers()).json == bound
    assert http.get("/api/v1/accounts/me/passes", headers=tokens.headers()).json == {"items": [bound]}
    response = http.delete(f"/api/v1/accounts/me/passes/{bound['pass_id']}", headers=fresh(tokens))
    assert (response.status_code, response.data) == (204, b"")
    bus.answer("identity", "unbind_pass", Conflict("identity.pass_last_way_in"))
    assert http.delete(f"/api/v1/accounts/me/passes/{bound['pass_id']}", headers=fresh(tokens)).status_code == 409


def test_binding_and_unbinding_need_a_fresh_code(http, bus, tokens):
    for method, path, body in (
        ("POST", "/accounts/me/passes", WANTED),
        ("DELETE", f"/accounts/me/passes/{uuid.uuid4()}", None),
    ):
        response = http.open(f"/api/v1{path}", method=method, json=body, headers=tokens.headers())
        assert (response.status_code, response.json["code"]) == (403, "shared.step_up_needed")


def test_issuers_may_be_kept_by_anybody(http, bus):
    bus.answer("identity", "list_pass_issuers", {"items": []})
    response = http.get("/api/v1/pass-issuers")
    assert response.json == {"items": []}
    assert "public" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/pass-sign-ins", {"issuer": "smartedu"}, "redirect_uri"),
        ("/pass-sign-ins", {**WANTED, "nonce": "mine"}, "nonce"),
        ("/pass-sign-ins/completion", {**BACK, "state": 7}, "state"),
        ("/pass-sign-ins/completion", {**BACK, "code": "x" * 2001}, "code"),
    ],
)
def test_bad_bodies_never_reach_the_service(http, bus, path, body, field):
    response = http.post(f"/api/v1{path}", json=body)
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


# --- notices ---------------------------------------------------------------------------------------------------------------


def test_the_own_notices_by_the_page_with_a_sealed_cursor(http, bus, tokens):
    notice = {
        "notice_id": str(uuid.uuid4()),
        "kind": "MEMBERSHIP_VERIFIED",
        "state": "SENT",
        "text": "【研修】实验小学已通过您的教师身份审核。",
        "created_at": "2023-01-12T02:00:00.000000Z",
        "sent_at": None,
    }
    bus.answer("identity", "list_notices", {"items": [notice], "next_cursor": notice["notice_id"]})
    headers = tokens.headers()
    page = http.get("/api/v1/accounts/me/notices?limit=1", headers=headers).json
    assert page["items"] == [notice]
    assert page["next_cursor"] != notice["notice_id"]
    http.get(f"/api/v1/accounts/me/notices?cursor={page['next_cursor']}", headers=headers)
    assert bus.sent[-1].arguments["cursor"] == notice["notice_id"]
    assert http.get("/api/v1/accounts/me/notices").status_code == 401


def test_the_language_of_messages(http, bus, tokens):
    bus.answer("identity", "choose_notice_language", {"language": "en"})
    bus.answer("identity", "get_notice_language", {"language": "en"})
    headers = tokens.headers()
    assert http.put("/api/v1/accounts/me/notice-language", json={"language": "en"}, headers=headers).json == {
        "language": "en"
    }
    assert http.get("/api/v1/accounts/me/notice-language", headers=headers).json == {"language": "en"}
    response = http.put("/api/v1/accounts/me/notice-language", json={"language": "fr"}, headers=headers)
    assert (response.status_code, response.json["field"]) == (400, "language")


def test_an_issuer_out_of_reach_is_named(http, bus):
    bus.answer("identity", "start_pass_sign_in", InvalidInput("identity.pass_issuer_unknown", "issuer"))
    assert http.post("/api/v1/pass-sign-ins", json=WANTED).json["field"] == "issuer"
