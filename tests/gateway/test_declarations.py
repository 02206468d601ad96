"""Declared hours over HTTP: each verb reaches its method with what it needs, and bad input stops at the edge."""

from __future__ import annotations

import hashlib

import pytest

from gateway.blueprints import declarations as blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id
from services.shared.sealed_files import new_file_key
from services.shared.storage import open_storage
from tests.gateway.test_images import SECRET, exif, picture, saved

ID = str(new_id())
SHOWN = {"declaration_id": ID, "teacher_id": ID, "state": "DRAFT", "round": 0, "content": {}}
TEXT = {
    "year": 2023,
    "kind": "DECLARATION",
    "title": "研讨会",
    "institution": "学会",
    "hours": "12",
    "started_on": "2023-10-01",
    "ended_on": "2023-10-03",
}


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.fixture
def teacher(tokens):
    return tokens.headers()


def keyed(headers):
    return {**headers, "Idempotency-Key": str(new_id())}


def test_a_draft_is_made_and_its_text_arrives_unchanged(client, bus, teacher):
    bus.answer("credits", "create_declaration", SHOWN)
    answer = client.post("/api/v1/declarations", json=TEXT, headers=keyed(teacher))
    assert answer.status_code == 201
    assert bus.sent[-1].arguments == TEXT


def test_an_activity_of_a_table_arrives_unchanged_and_without_hours(client, bus, teacher):
    bus.answer("credits", "create_declaration", SHOWN)
    body = {name: value for name, value in TEXT.items() if name != "hours"} | {"item": {"item": "GXS.7", "count": 4}}
    assert client.post("/api/v1/declarations", json=body, headers=keyed(teacher)).status_code == 201
    assert bus.sent[-1].arguments == body


@pytest.mark.parametrize("item", [{"count": 1}, {"item": "GXS.7", "count": "1"}, {"item": "GXS.7", "x": 1}, "GXS.7"])
def test_an_activity_that_is_none_stops_at_the_edge(client, bus, teacher, item):
    answer = client.post("/api/v1/declarations", json={**TEXT, "item": item}, headers=keyed(teacher))
    assert (answer.status_code, answer.json["field"].partition(".")[0]) == (400, "item")
    assert bus.sent == []


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("submission", "submit_declaration", None),
        ("withdrawal", "withdraw_declaration", None),
    ],
)
def test_the_teachers_verbs(client, bus, teacher, path, method, body):
    bus.answer("credits", method, SHOWN)
    answer = client.post(f"/api/v1/declarations/{ID}/{path}", json=body, headers=keyed(teacher))
    assert (answer.status_code, bus.sent[-1].method, bus.sent[-1].arguments) == (200, method, {"declaration_id": ID})


@pytest.mark.parametrize(
    ("path", "method", "role", "body"),
    [
        ("first-pass", "pass_declaration", Role.SCHOOL_ADMIN, {}),
        ("return", "return_declaration", Role.SCHOOL_ADMIN, {"reason": "缺少证明"}),
        ("approval", "approve_declaration", Role.COUNTY_ADMIN, {}),
        ("voiding", "void_declaration", Role.COUNTY_ADMIN, {"reason": "有误"}),
    ],
)
def test_the_reviewers_verbs(client, bus, tokens, path, method, role, body):
    bus.answer("credits", method, SHOWN)
    headers = keyed(tokens.headers(None, (role, "CN/440000/440100/440103")))
    answer = client.post(f"/api/v1/declarations/{ID}/{path}", json=body or None, headers=headers)
    assert (answer.status_code, bus.sent[-1].arguments) == (200, {"declaration_id": ID, **body})


@pytest.mark.parametrize(
    ("change", "field"),
    [({"kind": "HOLIDAY"}, "kind"), ({"year": "2023"}, "year"), ({"ended_on": "soon"}, "ended_on"), ({"x": 1}, "x")],
)
def test_bad_input_is_named(client, bus, teacher, change, field):
    answer = client.post("/api/v1/declarations", json={**TEXT, **change}, headers=keyed(teacher))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_a_reason_must_be_given(client, bus, tokens):
    headers = keyed(tokens.headers(None, (Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s1")))
    answer = client.post(f"/api/v1/declarations/{ID}/return", json={"reason": " "}, headers=headers)
    assert (answer.status_code, answer.json["field"]) == (400, "reason")


# --- proofs ----------------------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
DRAFT = f"/api/v1/declarations/{ID}/attachments"


class Slots:
    """Credits' side of a proof."""

    def __init__(self, bus):
        self.attachment_id, self.file_key, self.kept, self.described = str(new_id()), new_file_key(), None, None
        bus.answer("credits", "get_declaration", SHOWN)
        bus.answer("credits", "prepare_attachment", self.prepare)
        bus.answer("credits", "keep_attachment", self.keep)
        bus.answer("credits", "view_attachment", self.view)
        bus.answer("credits", "remove_attachment", lambda _arguments, _actor: {"storage_key": self.kept})

    def prepare(self, arguments, _actor):
        self.described = arguments
        return {"attachment_id": self.attachment_id, "file_key": self.file_key}

    def keep(self, arguments, _actor):
        self.kept = self.kept or arguments["storage_key"]
        kept = self.kept == arguments["storage_key"]
        return {"attachment_id": self.attachment_id, "kept": kept, "attachments": 1}

    def view(self, _arguments, _actor):
        return {"storage_key": self.kept, "file_key": self.file_key, "media_type": self.described["media_type"]}


@pytest.fixture
def slots(bus):
    return Slots(bus)


def upload(client, headers, content, name="proof.pdf", media_type="application/pdf"):
    head = (
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
    )
    return client.post(
        DRAFT,
        data=head.encode() + content + b"\r\n--b--\r\n",
        headers=keyed(headers),
        content_type="multipart/form-data; boundary=b",
    )


def stored_files(settings):
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (saved(picture(), "JPEG", exif=exif()), "image/jpeg"),
        (saved(picture(), "PNG"), "image/png"),
    ],
)
def test_a_proof_is_sealed_stored_seen_and_removed(client, slots, teacher, gateway_settings, content, media_type):
    answer = upload(client, teacher, content)
    assert (answer.status_code, answer.json) == (201, {"attachment_id": slots.attachment_id, "attachments": 1})
    assert slots.described["media_type"] == media_type  # by content, whatever it calls itself
    sealed = b"".join(open_storage(gateway_settings).read(slots.kept))
    assert content[:8] not in sealed
    seen = client.get(f"{DRAFT}/{slots.attachment_id}", headers=teacher)
    assert (seen.status_code, seen.content_type) == (200, media_type)
    assert slots.described["sha256"] == hashlib.sha256(seen.data).hexdigest()
    assert SECRET not in seen.data  # what the camera wrote beside the picture
    assert seen.headers["Content-Disposition"].startswith("attachment;")
    assert (seen.headers["X-Content-Type-Options"], "no-store" in seen.headers["Cache-Control"]) == ("nosniff", True)
    assert client.delete(f"{DRAFT}/{slots.attachment_id}", headers=keyed(teacher)).status_code == 204
    assert stored_files(gateway_settings) == []


def test_a_repeated_upload_leaves_one_file(client, slots, teacher, gateway_settings):
    for _ in range(3):
        assert upload(client, teacher, PDF).status_code == 201
    assert len(stored_files(gateway_settings)) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<html>%PDF-", b"PK\x03\x04", PDF[:20], b"\xff\xd8\xff", b"%PDF-" + b"0" * (10 * 1024 * 1024)],
)
def test_other_files_are_refused_whatever_they_call_themselves(client, slots, teacher, gateway_settings, content):
    answer = upload(client, teacher, content)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (400, "credits.attachment_form", "file")
    assert stored_files(gateway_settings) == []


def test_somebody_elses_declaration_is_unknown_before_the_file_is_read(client, bus, slots, teacher, gateway_settings):
    bus.answer("credits", "get_declaration", NotFound("credits.declaration_unknown"))
    assert upload(client, teacher, PDF).status_code == 404
    assert [sent.method for sent in bus.sent] == ["get_declaration"]
    assert stored_files(gateway_settings) == []


def test_a_file_that_is_not_wanted_goes(client, bus, slots, teacher, gateway_settings):
    bus.answer("credits", "keep_attachment", Conflict("credits.declaration_state"))
    assert upload(client, teacher, PDF).status_code == 409
    assert stored_files(gateway_settings) == []
