"""Study tools over HTTP: shapes, cursors, and that a reader revalidates."""

from __future__ import annotations

import hashlib
import io
import uuid
from typing import Any

import pytest

from gateway.blueprints import study_tools as blueprint
from services.shared.actor import Role
from services.shared.errors import NotFound
from services.shared.ids import new_id
from services.shared.sealed_files import new_file_key
from services.shared.storage import open_storage

ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "a course"))
NOTE = {
    "text_id": ID,
    "course_id": ID,
    "kind": "NOTE",
    "visibility": "OWN",
    "is_own": True,
    "by_tutor": False,
    "title": "",
    "text": "以学定教",
    "activity_id": None,
    "at_seconds": None,
    "question_id": None,
    "answered_at": None,
    "written_at": "2026-03-02T02:00:00.000000Z",
    "changed_at": "2026-03-02T02:00:00.000000Z",
}


@pytest.fixture
def client(make_app: Any) -> Any:
    return make_app(blueprint).test_client()


@pytest.fixture
def headers(tokens: Any) -> Any:
    return {**tokens.headers(new_id()), "Idempotency-Key": "a-note-key"}


def test_a_note_travels_with_its_position_and_its_author_does_not(client: Any, bus: Any, headers: Any) -> None:
    bus.answer("learning", "write_note", {**NOTE, "author_id": ID})
    body = {"text": "以学定教", "activity_id": ID, "at_seconds": 600}
    response = client.post(f"/api/v1/courses/{ID}/notes", json=body, headers=headers)
    assert (response.status_code, response.json) == (201, NOTE)
    [sent] = bus.sent
    assert sent.arguments == {**body, "shared": False, "course_id": ID}
    assert sent.command_id == "a-note-key"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "长" * 4001}, "text"),
        ({"text": "好", "shared": "yes"}, "shared"),
        ({"text": "好", "at_seconds": 1.5}, "at_seconds"),
        ({"text": "好", "author_id": ID}, "author_id"),
    ],
)
def test_a_faulty_note_is_refused_with_its_place(client: Any, bus: Any, headers: Any, body: Any, field: str) -> None:
    response = client.post(f"/api/v1/courses/{ID}/notes", json=body, headers=headers)
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


@pytest.mark.parametrize(
    ("path", "method", "query"),
    [
        ("notes", "list_notes", {"whose": "SHARED"}),
        ("questions", "list_course_questions", {"which": "UNANSWERED"}),
        ("notices", "list_course_notices", {}),
        ("search", "search_course", {"words": "分层"}),
        ("bookmarks", "list_bookmarks", {}),
    ],
)
def test_lists_go_by_the_page_and_are_revalidated(
    client: Any, bus: Any, headers: Any, path: str, method: str, query: dict[str, str]
) -> None:
    bus.answer("learning", method, {"items": [], "next_cursor": ID})
    address = f"/api/v1/courses/{ID}/{path}"
    first = client.get(address, query_string=query, headers=headers)
    assert first.status_code == 200
    assert bus.sent[-1].arguments == {**query, "limit": 50, "cursor": None, "course_id": ID}
    again = client.get(address, query_string=query, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    client.get(address, query_string={**query, "cursor": first.json["next_cursor"]}, headers=headers)
    assert bus.sent[-1].arguments["cursor"] == ID
    assert "private" in first.headers["Cache-Control"]


def test_what_was_reported_is_the_tutors(client: Any, bus: Any, headers: Any, tokens: Any) -> None:
    bus.answer("learning", "list_reported_texts", {"items": [{**NOTE, "reports": []}], "next_cursor": None})
    address = f"/api/v1/courses/{ID}/reported-texts"
    assert client.get(address, headers=headers).status_code == 403
    tutor = tokens.headers(new_id(), (Role.CITY_CENTRE, "CN/350000/350300"))
    assert client.get(address, headers=tutor).json["items"] == [{**NOTE, "reports": []}]


def test_a_search_of_one_character_never_leaves_the_gateway(client: Any, bus: Any, headers: Any) -> None:
    response = client.get(f"/api/v1/courses/{ID}/search", query_string={"words": "分"}, headers=headers)
    assert (response.status_code, response.json["field"]) == (400, "words")
    assert bus.sent == []


def test_a_bookmark_that_is_removed_leaves_no_body(client: Any, bus: Any, headers: Any) -> None:
    bus.answer("learning", "remove_bookmark", {"bookmark_id": ID})
    assert client.delete(f"/api/v1/bookmarks/{ID}", headers=headers).status_code == 204
    bus.answer("learning", "remove_bookmark", NotFound("learning.bookmark_unknown"))
    assert (
        client.delete(f"/api/v1/bookmarks/{ID}", headers={**headers, "Idempotency-Key": "another-key"}).status_code
        == 404
    )


# --- materials ------------------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ADDRESS = f"/api/v1/courses/{ID}/materials"


@pytest.fixture
def tutor(tokens: Any) -> Any:
    return {**tokens.headers(new_id(), (Role.CITY_CENTRE, "CN/350000/350300")), "Idempotency-Key": str(new_id())}


def test_a_material_is_sealed_on_its_way_in_and_opened_on_its_way_out(
    client: Any, bus: Any, headers: Any, tutor: Any, gateway_settings: Any
) -> None:
    key, kept = new_file_key(), {}
    bus.answer("learning", "list_reported_texts", {"items": [], "next_cursor": None})
    bus.answer("learning", "prepare_course_material", {"material_id": ID, "file_key": key})

    def keep(arguments: Any, _actor: Any) -> Any:
        kept.update(arguments)
        return {"material_id": ID, "kept": True, "title": "课件"}

    bus.answer("learning", "keep_course_material", keep)
    form = {"title": "课件", "file": (io.BytesIO(PDF), "x.pdf")}
    added = client.post(ADDRESS, data=form, headers=tutor, content_type="multipart/form-data")
    assert (added.status_code, added.json) == (201, {"material_id": ID, "title": "课件"})
    prepared = next(each for each in bus.sent if each.method == "prepare_course_material").arguments
    assert prepared == {
        "course_id": ID,
        "title": "课件",
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "media_type": "application/pdf",
        "size": len(PDF),
    }
    stored = b"".join(open_storage(gateway_settings).read(kept["storage_key"]))
    assert PDF not in stored
    found = {"storage_key": kept["storage_key"], "file_key": key, "media_type": "application/pdf"}
    bus.answer("learning", "view_course_material", found)
    shown = client.get(f"{ADDRESS}/{ID}", headers=headers)
    assert (shown.status_code, shown.data) == (200, PDF)
    assert shown.headers["Content-Disposition"].startswith("attachment")
    bus.answer("learning", "remove_course_material", {"storage_key": kept["storage_key"]})
    assert client.delete(f"{ADDRESS}/{ID}", headers=tutor).status_code == 204
    assert client.get(f"{ADDRESS}/{ID}", headers=headers).status_code == 404


@pytest.mark.parametrize("content", [b"", b"<html>", b"%PDF-1.7 cut off", b"\x89PNG\r\n\x1a\nnone"])
def test_a_file_that_is_none_is_refused_before_it_is_kept(client: Any, bus: Any, tutor: Any, content: bytes) -> None:
    bus.answer("learning", "list_reported_texts", {"items": [], "next_cursor": None})
    form = {"title": "课件", "file": (io.BytesIO(content), "x.pdf")}
    refused = client.post(ADDRESS, data=form, headers=tutor, content_type="multipart/form-data")
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (400, "learning.material_form", "file")
