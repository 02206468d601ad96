"""The person's record over HTTP: paths, bodies, what stays out of URLs, permission; its policies are the real ones."""

import uuid

import pytest

from gateway.blueprints import person as blueprint
from services.identity import contract
from services.shared.actor import Role
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id

COUNTY = "CN/440000/440100/440103"
ACCOUNT = str(new_id())
MERGE = str(new_id())
DOCUMENT = {"id_type": "RESIDENT_ID", "id_no": "11010519491231002X"}
NEW_MERGE = {
    "kept_id": ACCOUNT,
    "merged_id": str(new_id()),
    "phone_of": "KEPT",
    "document_of": "KEPT",
    "proof": "ORIGINAL",
    "reason": "两次注册",
    **DOCUMENT,
}
NEW_TEACHER = {"name": "张三", "id_no": DOCUMENT["id_no"], "phone": "13800138000", "segment": "PRIMARY"}
DECISIONS = {"decisions": [{"account_id": ACCOUNT, "round": 1}]}
REASON = {"reason": "证件号有误"}


@pytest.fixture
def http(make_app):
    return make_app(blueprint).test_client()


ROUTES = [
    ("POST", "/profiles/me/submission", None),
    ("GET", "/profile-reviews", None),
    ("POST", "/profile-reviews/confirmation", DECISIONS),
    ("POST", "/profile-reviews/return", {**DECISIONS, **REASON}),
    ("POST", f"/accounts/{ACCOUNT}/profile/reopening", REASON),
    ("POST", f"/accounts/{ACCOUNT}/profile/disclosure", REASON),
    ("POST", f"/schools/{MERGE}/teachers", NEW_TEACHER),
    ("POST", "/person-searches", {"name": "张三"}),
    ("POST", "/accounts/me/duplicate-question", {"name": "张三", "id_no": DOCUMENT["id_no"]}),
    ("GET", f"/accounts/{ACCOUNT}/possible-duplicates", None),
    ("POST", f"/accounts/{ACCOUNT}/identity-history", REASON),
    ("POST", "/merges", NEW_MERGE),
    ("GET", "/merges", None),
    ("GET", f"/merges/{MERGE}", None),
    ("POST", f"/merges/{MERGE}/approval", DOCUMENT),
    ("POST", f"/merges/{MERGE}/rejection", REASON),
    ("POST", f"/merges/{MERGE}/withdrawal", REASON),
    ("POST", f"/merges/{MERGE}/undoing", REASON),
    ("POST", "/accounts/me/erasure-codes", None),
    ("POST", "/accounts/me/erasure", {"sms_code": "012345"}),
    ("GET", "/accounts/me/erasure", None),
    ("DELETE", "/accounts/me/erasure", None),
    ("GET", "/consents/me", None),
    ("POST", "/consents/me", {"kind": "TERMS", "version": "2022-12-01", "given": True}),
]
FOR_OFFICES = [route for route in ROUTES if "/me" not in route[1]]
WITH_STEP_UP = ("disclosure", "identity-history", "/approval", "/undoing")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_visitors_are_asked_to_sign_in(http, bus, method, path, body):
    response = http.open(f"/api/v1{path}", method=method, json=body)
    assert (response.status_code, response.json["code"]) == (401, "shared.sign_in_first")


@pytest.mark.parametrize(("method", "path", "body"), FOR_OFFICES)
def test_teachers_hold_no_office(http, tokens, method, path, body):
    response = http.open(f"/api/v1{path}", method=method, json=body, headers=tokens.headers())
    assert (response.status_code, response.json["code"]) == (403, "shared.not_allowed")


@pytest.mark.parametrize(("method", "path", "body"), [each for each in ROUTES if each[1].endswith(WITH_STEP_UP)])
def test_what_shows_or_decides_most_asks_for_a_fresh_code(http, tokens, method, path, body):
    role, place = (Role.SCHOOL_ADMIN, f"{COUNTY}/s1") if "disclosure" in path else (Role.SUPPORT_AGENT, "CN")
    response = http.open(f"/api/v1{path}", method=method, json=body, headers=tokens.headers(None, (role, place)))
    assert (response.status_code, response.json["code"]) == (403, "shared.step_up_needed")


def test_everybody_reads_the_texts(http, bus):
    text = {"kind": "TERMS", "version": "1", "zh": "条款", "en": "terms", "digest": "0" * 64}
    bus.answer("identity", "list_consent_texts", {"items": [text]})
    assert http.get("/api/v1/consent-texts").json == {"items": [text]}


def test_a_decision_travels_with_the_round_that_was_seen(http, bus, tokens):
    rows = [
        {"account_id": ACCOUNT, "outcome": "REFUSED", "code": "identity.review_stale"},
        {"account_id": str(new_id()), "outcome": "DONE", "code": ""},
    ]
    bus.answer("identity", "confirm_profiles", {"rows": rows})
    headers = tokens.headers(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1")) | {"Accept-Language": "en"}
    response = http.post("/api/v1/profile-reviews/confirmation", json=DECISIONS, headers=headers)
    assert response.status_code == 200
    assert [row["message"] for row in response.json["rows"]] == [contract.ERRORS["identity.review_stale"][1], ""]
    assert bus.sent[-1].arguments == DECISIONS


def test_what_people_are_looked_for_by_is_in_no_url(http, bus, tokens):
    bus.answer("identity", "search_people", {"items": [], "next_cursor": {"place": COUNTY, "account_id": ACCOUNT}})
    headers = tokens.headers(uuid.UUID(ACCOUNT), (Role.COUNTY_ADMIN, COUNTY))
    first = http.post("/api/v1/person-searches", json={"name": "张三", "limit": 1}, headers=headers)
    assert first.status_code == 200
    assert COUNTY not in first.json["next_cursor"]
    http.post("/api/v1/person-searches", json={"name": "张三", "cursor": first.json["next_cursor"]}, headers=headers)
    assert bus.sent[-1].arguments["cursor"] == {"place": COUNTY, "account_id": ACCOUNT}
    assert http.get("/api/v1/person-searches?name=张三", headers=headers).status_code == 405


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/profile-reviews/confirmation", {"decisions": []}, "decisions"),
        ("/profile-reviews/confirmation", {"decisions": [{"account_id": ACCOUNT}]}, "decisions.0.round"),
        ("/profile-reviews/confirmation", {"decisions": [{"account_id": ACCOUNT, "round": "1"}]}, "decisions.0.round"),
        ("/profile-reviews/confirmation", {"decisions": DECISIONS["decisions"] * 101}, "decisions"),
        ("/profile-reviews/return", DECISIONS, "reason"),
        (f"/accounts/{ACCOUNT}/profile/reopening", {"reason": " "}, "reason"),
        ("/person-searches", {"name": "张三", "sql": "1"}, "sql"),
        ("/merges", {**NEW_MERGE, "phone_of": "BOTH"}, "phone_of"),
        ("/merges", {**NEW_MERGE, "kept_id": "x"}, "kept_id"),
        ("/accounts/me/erasure", {}, "sms_code"),
        ("/consents/me", {"kind": "TERMS", "version": "1", "given": "yes"}, "given"),
    ],
)
def test_bad_bodies_never_reach_the_service(http, bus, tokens, path, body, field):
    response = http.post(f"/api/v1{path}", json=body, headers=tokens.headers(None, (Role.NATIONAL_OPERATOR, "CN")))
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


@pytest.mark.parametrize("code", ["identity.merge_two_persons", "identity.not_yourself"])
def test_what_is_not_allowed_is_403_and_told(http, bus, tokens, code):
    bus.answer("identity", "reject_merge", NotAllowed(code))
    headers = tokens.headers(None, (Role.SUPPORT_AGENT, "CN"))
    response = http.post(f"/api/v1/merges/{MERGE}/rejection", json=REASON, headers=headers)
    assert (response.status_code, response.json["detail"]) == (403, contract.ERRORS[code][0])


def test_erasing_is_accepted_and_can_be_taken_back(http, bus, tokens):
    wish = {
        "state": "REQUESTED",
        "requested_at": "2023-01-10T02:00:00.000000Z",
        "due_at": "2023-01-25T02:00:00.000000Z",
        "ended_at": None,
    }
    bus.answer("identity", "request_erasure", wish)
    bus.answer("identity", "cancel_erasure", Conflict("identity.erasure_not_requested"))
    response = http.post("/api/v1/accounts/me/erasure", json={"sms_code": "012345"}, headers=tokens.headers())
    assert (response.status_code, response.json) == (202, wish)
    assert http.delete("/api/v1/accounts/me/erasure", headers=tokens.headers()).status_code == 409


@pytest.fixture
def admin(tokens):
    return tokens.headers(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1"))


def test_a_new_teacher_gets_account_number_and_place(http, bus, admin):
    added = {"account_id": ACCOUNT, "learner_no": "1000000000007", "created": True}
    bus.answer("identity", "add_teacher", added)
    placed = {"row": 1, "outcome": "CREATED", "code": "", "field": "", "state": "VERIFIED"}
    bus.answer("org", "import_memberships", {"rows": [placed]})
    response = http.post(f"/api/v1/schools/{MERGE}/teachers", json=NEW_TEACHER, headers=admin)
    assert (response.status_code, response.json) == (201, {**added, "membership_state": "VERIFIED"})
    keys = [sent.command_id for sent in bus.sent]
    assert len(set(keys)) == 2


def test_who_is_at_another_school_comes_by_transfer(http, bus, admin):
    bus.answer("identity", "add_teacher", {"account_id": ACCOUNT, "learner_no": "1000000000007", "created": False})
    refused = {"row": 1, "outcome": "REFUSED", "code": "org.member_elsewhere", "field": "school_id", "state": ""}
    bus.answer("org", "import_memberships", {"rows": [refused]})
    response = http.post(f"/api/v1/schools/{MERGE}/teachers", json=NEW_TEACHER, headers=admin)
    assert (response.status_code, response.json["code"]) == (409, "org.member_elsewhere")


def test_who_is_there_already_is_not_verified_by_the_way(http, bus, admin):
    bus.answer("identity", "add_teacher", {"account_id": ACCOUNT, "learner_no": "1000000000007", "created": False})
    waiting = {"row": 1, "outcome": "UNCHANGED", "code": "", "field": "", "state": "PENDING"}
    bus.answer("org", "import_memberships", {"rows": [waiting]})
    response = http.post(f"/api/v1/schools/{MERGE}/teachers", json=NEW_TEACHER, headers=admin)
    assert (response.status_code, response.json["membership_state"]) == (201, "PENDING")
