"""Phone changes, tickets and the support desk over HTTP; photos go through a real store, sealed."""

import hashlib
import re
import uuid

import pytest

from gateway.blueprints import phone as blueprint
from services.identity import contract
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from services.shared.sealed_files import new_file_key
from services.shared.storage import open_storage
from tests.gateway.test_images import SECRET, exif, picture, saved

TICKET = str(uuid.uuid4())
KEY = {"Ticket-Key": "0a1b2c3d.5f1c"}
SHOWN = {
    "ticket_id": TICKET,
    "state": "DRAFT",
    "reason": "",
    "note": "",
    "new_phone": "139****0001",
    "evidence": 0,
    "opened_at": "2023-01-12T02:00:00.000000Z",
    "submitted_at": None,
    "decided_at": None,
    "cools_until": None,
    "over_at": None,
}
CLAIM = {
    "name": "张三",
    "id_no": "11010519491231002X",
    "old_phone": "13800138000",
    "new_phone": "13900139000",
    "sms_code": "012345",
}


@pytest.fixture
def http(make_app):
    return make_app(blueprint).test_client()


def agent(tokens, *, fresh=True):
    until = clock.now().timestamp() + 600 if fresh else None
    return tokens.headers(None, (Role.SUPPORT_AGENT, "CN"), dsk="ADMINISTRATOR", elv=until)


# --- by way of the old phone ---------------------------------------------------------------------------------------------


def test_four_steps(http, bus, tokens):
    change_id = str(uuid.uuid4())
    shown = {"change_id": change_id, "state": "OLD_SENT", "expires_at": "2023-01-12T02:15:00.000000Z"}
    for method in ("start_phone_change", "prove_old_phone", "name_new_phone", "complete_phone_change"):
        bus.answer("identity", method, shown)
    headers, base = tokens.headers(), f"/api/v1/phone-changes/{change_id}"
    assert http.post("/api/v1/phone-changes", headers=headers).status_code == 201
    assert http.post(f"{base}/old-proof", json={"sms_code": "123456"}, headers=headers).json == shown
    assert http.post(f"{base}/new-phone", json={"new_phone": "13900139000"}, headers=headers).status_code == 200
    assert http.post(f"{base}/completion", json={"sms_code": "123456"}, headers=headers).status_code == 200
    assert [sent.method for sent in bus.sent] == [
        "start_phone_change", "prove_old_phone", "name_new_phone", "complete_phone_change",
    ]  # fmt: skip
    assert bus.sent[-1].arguments == {"change_id": change_id, "sms_code": "123456"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/phone-changes", None),
        ("POST", f"/phone-changes/{TICKET}/old-proof", {"sms_code": "123456"}),
        ("GET", "/accounts/me/phone-ticket", None),
        ("POST", "/accounts/me/phone-ticket/stop", None),
        ("GET", "/phone-tickets", None),
        ("POST", f"/phone-tickets/{TICKET}/claim", None),
        ("DELETE", f"/phone-tickets/{TICKET}/claim", None),
        ("GET", f"/phone-tickets/{TICKET}/details", None),
        ("GET", f"/phone-tickets/{TICKET}/photos/{TICKET}", None),
        ("POST", f"/phone-tickets/{TICKET}/approval", None),
        ("POST", f"/phone-tickets/{TICKET}/rejection", {"reason": "OTHER"}),
    ],
)
def test_visitors_are_asked_to_sign_in(http, method, path, body):
    response = http.open(f"/api/v1{path}", method=method, json=body)
    assert (response.status_code, response.json["code"]) == (401, "shared.sign_in_first")


# --- tickets ---------------------------------------------------------------------------------------------------------------


def test_a_visitor_opens_a_ticket_in_the_language_of_the_request(http, bus):
    bus.answer("identity", "request_ticket_code", {"expires_in_seconds": 300, "resend_after_seconds": 60})
    bus.answer("identity", "open_phone_ticket", {**SHOWN, "ticket_key": "k.1"})
    sent = http.post("/api/v1/phone-ticket-codes", json={"new_phone": "13900139000", "captcha": "x"})
    assert sent.status_code == 202
    response = http.post("/api/v1/phone-tickets", json=CLAIM, headers={"Accept-Language": "en"})
    assert (response.status_code, response.json["ticket_key"]) == (201, "k.1")
    assert "no-store" in response.headers["Cache-Control"]
    assert bus.sent[-1].arguments == {**CLAIM, "id_type": "RESIDENT_ID", "language": "en"}


def test_the_key_travels_in_a_header_and_in_no_address(http, bus):
    bus.answer("identity", "get_phone_ticket", SHOWN)
    assert http.get(f"/api/v1/phone-tickets/{TICKET}", headers=KEY).json == SHOWN
    assert bus.sent[-1].arguments == {"ticket_id": TICKET, "ticket_key": KEY["Ticket-Key"]}
    for headers in ({}, {"Ticket-Key": ""}, {"Ticket-Key": "x" * 201}):
        response = http.get(f"/api/v1/phone-tickets/{TICKET}", headers=headers)
        assert (response.status_code, response.json["field"]) == (400, "Ticket-Key")


@pytest.mark.parametrize("step", ["submission", "withdrawal"])
def test_whoever_holds_the_key_goes_on(http, bus, step):
    method = {"submission": "submit_phone_ticket", "withdrawal": "withdraw_phone_ticket"}[step]
    bus.answer("identity", method, {**SHOWN, "state": "SUBMITTED"})
    assert http.post(f"/api/v1/phone-tickets/{TICKET}/{step}", headers=KEY).json["state"] == "SUBMITTED"
    bus.answer("identity", method, Conflict("identity.ticket_sent"))
    response = http.post(f"/api/v1/phone-tickets/{TICKET}/{step}", headers={**KEY, "Accept-Language": "en"})
    assert response.status_code == 409
    assert response.json["detail"] == contract.ERRORS["identity.ticket_sent"][1]


# --- photos ----------------------------------------------------------------------------------------------------------------


class Slots:
    """Identity's side of a photo."""

    def __init__(self, bus):
        self.evidence_id, self.file_key, self.kept, self.described = str(uuid.uuid4()), new_file_key(), None, None
        bus.answer("identity", "get_phone_ticket", SHOWN)
        bus.answer("identity", "prepare_evidence", self.prepare)
        bus.answer("identity", "keep_evidence", self.keep)
        bus.answer("identity", "view_evidence", self.view)

    def prepare(self, arguments, _actor):
        self.described = arguments
        return {"evidence_id": self.evidence_id, "file_key": self.file_key}

    def keep(self, arguments, _actor):
        self.kept = self.kept or arguments["storage_key"]
        return {"evidence_id": self.evidence_id, "kept": self.kept == arguments["storage_key"], "evidence": 1}

    def view(self, _arguments, _actor):
        return {"storage_key": self.kept, "file_key": self.file_key, "media_type": self.described["media_type"]}


@pytest.fixture
def slots(bus):
    return Slots(bus)


def upload(http, content, name="me.jpg", headers=KEY, media_type="image/jpeg"):
    # Built by hand: the test client keeps a large form in a temporary file that it never closes.
    head = (
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
    )
    return http.post(
        f"/api/v1/phone-tickets/{TICKET}/photos",
        data=head.encode() + content + b"\r\n--b--\r\n",
        headers=headers,
        content_type="multipart/form-data; boundary=b",
    )


PHOTO = saved(picture(), "JPEG", exif=exif())


def stored_files(settings):
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


def test_the_consent_goes_to_whoever_keeps_the_photo(http, slots):
    assert upload(http, PHOTO, headers={**KEY, "Consent-Version": "2022-12-01"}).status_code == 201
    assert slots.described["consent_version"] == "2022-12-01"
    assert upload(http, PHOTO).status_code == 201
    assert slots.described["consent_version"] == "", "what it means is identity's to say"


def test_a_photo_is_cleaned_sealed_stored_and_seen_again(http, slots, tokens, gateway_settings):
    response = upload(http, PHOTO)
    assert (response.status_code, response.json) == (201, {"evidence_id": slots.evidence_id, "evidence": 1})
    sealed = b"".join(open_storage(gateway_settings).read(slots.kept))
    assert b"\xff\xd8" not in sealed[:4]
    assert SECRET not in sealed
    seen = http.get(f"/api/v1/phone-tickets/{TICKET}/photos/{slots.evidence_id}", headers=agent(tokens))
    assert (seen.status_code, seen.content_type) == (200, "image/jpeg")
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in seen.headers["Cache-Control"]
    assert SECRET not in seen.data
    assert slots.described["sha256"] == hashlib.sha256(seen.data).hexdigest()
    assert slots.described["size"] == len(seen.data)


def test_a_repeated_upload_leaves_one_file(http, slots, gateway_settings):
    for _ in range(3):
        assert upload(http, PHOTO, headers={**KEY, "Idempotency-Key": str(uuid.uuid4())}).status_code == 201
    assert len(stored_files(gateway_settings)) == 1


@pytest.mark.parametrize(
    ("refusal", "left"), [(Conflict("identity.ticket_sent"), 0), (Unavailable("shared.deadline"), 1)]
)
def test_a_file_that_is_not_wanted_goes_and_one_that_may_be_stays(http, bus, slots, gateway_settings, refusal, left):
    bus.answer("identity", "keep_evidence", refusal)
    assert upload(http, PHOTO).status_code == {0: 409, 1: 504}[left]
    assert len(stored_files(gateway_settings)) == left


def test_a_damaged_file_is_unknown_and_no_defect(http, slots, tokens, gateway_settings):
    upload(http, PHOTO)
    [path] = stored_files(gateway_settings)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    seen = http.get(f"/api/v1/phone-tickets/{TICKET}/photos/{slots.evidence_id}", headers=agent(tokens))
    assert (seen.status_code, seen.json["code"]) == (404, "identity.evidence_unknown")


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg onload=alert(1)>", b"%PDF-1.7", PHOTO[:300], b"\xff\xd8\xff" + b"0" * (5 * 1024 * 1024)],
)
def test_other_files_are_refused_whatever_they_call_themselves(http, slots, gateway_settings, content):
    response = upload(http, content)
    assert (response.status_code, response.json["code"], response.json["field"]) == (
        400,
        "identity.evidence_form",
        "file",
    )
    assert stored_files(gateway_settings) == []


def test_without_the_right_key_no_file_is_read(http, bus, gateway_settings):
    bus.answer("identity", "get_phone_ticket", NotFound("identity.ticket_unknown"))
    assert upload(http, PHOTO).status_code == 404
    assert [sent.method for sent in bus.sent] == ["get_phone_ticket"]
    assert upload(http, PHOTO, headers={}).status_code == 400
    assert stored_files(gateway_settings) == []


def test_an_upload_is_a_file(http, slots):
    response = http.post(
        f"/api/v1/phone-tickets/{TICKET}/photos", data={"file": "text"}, headers=KEY, content_type="multipart/form-data"
    )
    assert (response.status_code, response.json["field"]) == (400, "file")
    response = http.post(f"/api/v1/phone-tickets/{TICKET}/photos", json={"file": "text"}, headers=KEY)
    assert response.status_code == 415


# --- the desk --------------------------------------------------------------------------------------------------------------


def test_the_desk_is_for_agents_and_details_for_those_with_a_fresh_code(http, bus, tokens):
    bus.otherwise = {"items": [], "next_cursor": None}
    assert http.get("/api/v1/phone-tickets", headers=tokens.headers()).status_code == 403
    assert http.get("/api/v1/phone-tickets?state=REJECTED", headers=agent(tokens)).json == {
        "items": [],
        "next_cursor": None,
    }
    assert bus.sent[-1].arguments == {"states": ["REJECTED"], "limit": 50, "cursor": None}
    for path in (f"/phone-tickets/{TICKET}/details", f"/phone-tickets/{TICKET}/photos/{TICKET}"):
        response = http.get(f"/api/v1{path}", headers=agent(tokens, fresh=False))
        assert (response.status_code, response.json["code"]) == (403, "shared.step_up_needed")
    response = http.post(f"/api/v1/phone-tickets/{TICKET}/approval", headers=agent(tokens, fresh=False))
    assert response.json["code"] == "shared.step_up_needed"


def test_claiming_deciding_putting_back(http, bus, tokens):
    bus.otherwise = {"ticket_id": TICKET, "state": "IN_REVIEW"}
    headers, base = agent(tokens), f"/api/v1/phone-tickets/{TICKET}"
    assert http.post(f"{base}/claim", headers=headers).status_code == 200
    assert http.delete(f"{base}/claim", headers=headers).status_code == 200
    assert http.post(f"{base}/approval", headers=headers).status_code == 200
    assert (
        http.post(f"{base}/rejection", json={"reason": "UNREADABLE", "note": "请重拍"}, headers=headers).status_code
        == 200
    )
    assert [sent.method for sent in bus.sent] == [
        "claim_phone_ticket", "put_back_phone_ticket", "approve_phone_ticket", "reject_phone_ticket",
    ]  # fmt: skip
    assert bus.sent[-1].arguments == {"ticket_id": TICKET, "reason": "UNREADABLE", "note": "请重拍"}
    assert http.post(f"{base}/rejection", json={"reason": "BECAUSE"}, headers=headers).status_code == 400


# --- the page behind the link ------------------------------------------------------------------------------------------------


def test_opening_the_link_stops_nothing_and_the_button_does(http, bus):
    bus.answer("identity", "find_ticket_to_stop", {"state": "COOLING", "cools_until": None})
    bus.answer("identity", "stop_phone_ticket", {"state": "CANCELLED"})
    page = http.get("/stop-phone-change/a-token")
    assert page.status_code == 200
    assert re.search(r'<form method="post">\s*<button', page.text)
    assert [sent.method for sent in bus.sent] == ["find_ticket_to_stop"]
    done = http.post("/stop-phone-change/a-token")
    assert "换绑已取消" in done.text
    assert bus.sent[-1].arguments == {"token": "a-token"}
    for response in (page, done):
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "form-action 'self'" in response.headers["Content-Security-Policy"]
        assert "no-store" in response.headers["Cache-Control"]
        assert "a-token" not in response.text


def test_a_link_that_is_none_is_said_so_in_both_languages(http, bus):
    bus.answer("identity", "find_ticket_to_stop", NotFound("identity.ticket_unknown"))
    for language, text in zip(("zh", "en"), contract.ERRORS["identity.ticket_unknown"], strict=True):
        page = http.get("/stop-phone-change/x", headers={"Accept-Language": language})
        assert page.status_code == 404
        assert text in page.text
    bus.answer("identity", "stop_phone_ticket", Unavailable("shared.unavailable"))
    page = http.post("/stop-phone-change/x")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")


def test_stopping_by_api_too(http, bus, tokens):
    bus.answer("identity", "stop_phone_ticket", {"state": "CANCELLED"})
    bus.answer("identity", "stop_own_phone_ticket", {"state": "CANCELLED"})
    assert http.post("/api/v1/phone-ticket-stops", json={"token": "t"}).json == {"state": "CANCELLED"}
    assert http.post("/api/v1/accounts/me/phone-ticket/stop", headers=tokens.headers()).json == {"state": "CANCELLED"}


def test_a_field_at_fault_is_named(http, bus):
    bus.answer("identity", "open_phone_ticket", InvalidInput("identity.id_no_check_digit", "id_no"))
    response = http.post("/api/v1/phone-tickets", json=CLAIM)
    assert (response.status_code, response.json["field"]) == (400, "id_no")
