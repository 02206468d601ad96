"""Bad input of every kind is a clear problem with its field, never a 5xx, and reaches no service."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBus
from tests.gateway.test_strict_json import CASES

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("name", [name for name in CASES if name != "empty"])
def test_hostile_bodies(client: FlaskClient, bus: FakeBus, name: str) -> None:
    body, code, field = CASES[name]
    answer = client.post("/api/v1/notes", data=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json["code"] == code
    assert answer.json["field"] == field
    assert bus.sent == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": {"x": 1}}, "title"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": "x", "count": "5"}, "count"),
        ({"title": "x", "count": 5.5}, "count"),
        ({"title": "x", "count": True}, "count"),
        ({"title": "x", "hours": "abc"}, "hours"),
        ({"title": "x", "hours": "NaN"}, "hours"),
        ({"title": "x", "hours": []}, "hours"),
        ({"title": "x", "at": "2023-01-10"}, "at"),
        ({"title": "x", "at": "2023-01-10T10:00:00"}, "at"),
        ({"title": "x", "at": "9999-99-99T99:99:99Z"}, "at"),
        ({"title": "x", "at": 5}, "at"),
        ({"title": "x", "owner": "not-a-uuid"}, "owner"),
        ({"title": "x", "owner": 5}, "owner"),
        ({"title": "x", "segments": {"a": 1}}, "segments"),
        ({"title": "x", "segments": [5]}, "segments.0"),
        ({"title": "x", "segments": [{"start": 0, "end": 1}] * 51}, "segments"),
        ({"title": "x", "nobody": 1}, "nobody"),
        ({"title": "x", "segments": [{"start": 0, "end": 1, "speed": 9}]}, "segments.0.speed"),
    ],
)
def test_wrong_shapes(client: FlaskClient, bus: FakeBus, body: dict[str, Any], field: str) -> None:
    answer = client.post("/api/v1/notes", json=body)
    assert answer.status_code == 400
    assert answer.json["field"] == field
    assert bus.sent == []


def test_too_large_bodies(client: FlaskClient, bus: FakeBus) -> None:
    answer = client.post("/api/v1/notes", data=b'{"title":"' + b"x" * 10_000_000 + b'"}', headers=JSON)
    assert answer.status_code == 413
    assert answer.json["code"] == "shared.too_large"
    just_over = client.post("/api/v1/notes", data=b" " * (1024 * 1024 + 1), headers=JSON)
    assert just_over.status_code == 413
    assert bus.sent == []


def test_a_large_body_without_a_length_is_cut_off(client: FlaskClient) -> None:
    environment = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        "/api/v1/notes", input_stream=io.BytesIO(b"x" * 3_000_000), headers=JSON, environ_overrides=environment
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=gbk",
        "",
        "a/b/c;;",
    ],
)
def test_other_content_types(client: FlaskClient, content_type: str) -> None:
    answer = client.post("/api/v1/notes", data=b'{"title":"x"}', headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert answer.json["field"] == "Content-Type"


def test_no_body_where_one_is_needed(client: FlaskClient) -> None:
    answer = client.post("/api/v1/notes")
    assert answer.status_code == 400
    assert answer.json["field"] == "title"


def test_a_body_where_none_is_taken(client: FlaskClient, bus: FakeBus) -> None:
    note = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"
    assert client.delete(note, data=b'{"force":true}', headers=JSON).json["code"] == "shared.body_not_taken"
    assert bus.sent == []
    bus.answer("notes", "delete_note", {})
    assert client.delete(note, data=b"{}", headers=JSON).status_code == 204


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("limit=5&limit=6", "shared.repeated_parameter", "limit"),
        ("limit=5&%6cimit=6", "shared.repeated_parameter", "limit"),
        ("colour=red", "shared.invalid", "colour"),
        ("limit=0", "shared.invalid", "limit"),
        ("limit=201", "shared.invalid", "limit"),
        ("limit=x", "shared.invalid", "limit"),
        ("limit=" + "9" * 4000, "shared.invalid", "limit"),
        ("limit=%00", "shared.bad_query", "limit"),
        ("cursor=%ff", "shared.bad_query", "cursor"),
        ("%ff=1", "shared.bad_query", ""),
        ("cursor=%ED%A0%80", "shared.bad_query", "cursor"),
        ("cursor=" + "x" * 5000, "shared.bad_query", ""),
        ("cursor=" + "x" * 501, "shared.invalid", "cursor"),
        ("cursor=forged", "shared.bad_cursor", "cursor"),
        ("cursor=%E4%BD%A0", "shared.bad_cursor", "cursor"),
    ],
)
def test_query_strings(client: FlaskClient, bus: FakeBus, query: str, code: str, field: str) -> None:
    answer = client.get("/api/v1/notes", query_string=query)
    assert answer.status_code == 400
    assert (answer.json["code"], answer.json["field"]) == (code, field)
    assert bus.sent == []


def test_a_query_where_none_is_taken(client: FlaskClient) -> None:
    answer = client.get("/api/v1/notes/0190a5a0-0000-7000-8000-000000000001?debug=1")
    assert (answer.status_code, answer.json["field"]) == (400, "debug")


@pytest.mark.parametrize("name", ["\0", "a\0b", "\xff", "\xed\xa0\x80"])
def test_paths(client: FlaskClient, bus: FakeBus, name: str) -> None:
    # As a WSGI server hands it over: the bytes of the path, each as one character.
    answer = client.get("/api/v1/topics/x", environ_overrides={"PATH_INFO": f"/api/v1/topics/{name}"})
    assert answer.status_code == 400
    assert answer.json["code"] == "shared.bad_path"
    assert bus.sent == []


@pytest.mark.parametrize("note_id", ["1", "x", "0190a5a0", "0190a5a0-0000-7000-8000-00000000000g", "..%2f..%2fetc"])
def test_ids_that_are_none_look_unknown(client: FlaskClient, bus: FakeBus, note_id: str) -> None:
    assert client.get(f"/api/v1/notes/{note_id}").status_code == 404
    assert bus.sent == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", "short"),
        ("Idempotency-Key", "x" * 65),
        ("Idempotency-Key", "a b c d e f"),
        ("X-Anything", "x" * 9000),
        ("X-Anything", "a\x01b"),
        ("Idempotency-Key", "密钥密钥密钥密钥".encode().decode("latin-1")),
    ],
)
def test_headers(client: FlaskClient, bus: FakeBus, header: str, value: str) -> None:
    answer = client.post("/api/v1/notes", json={"title": "x"}, headers={header: value})
    assert answer.status_code == 400
    assert (answer.json["code"], answer.json["field"]) == ("shared.bad_header", header)
    assert bus.sent == []


def test_numbers_of_requests_are_echoed_only_when_well_formed(client: FlaskClient) -> None:
    assert client.get("/live", headers={"X-Request-Id": "abc-123.DEF"}).headers["X-Request-Id"] == "abc-123.DEF"
    assert "X-Request-Id" not in client.get("/live", headers={"X-Request-Id": "<script>alert(1)"}).headers


def test_hostile_keys_are_echoed_as_json(client: FlaskClient) -> None:
    answer = client.post("/api/v1/notes", json={"title": "x", '"><script>': 1, "k" * 5000: 1})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert all(len(fault["field"]) <= 200 for fault in answer.json["errors"])


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data", 400),
        (b"garbage", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n" * 1000, "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 100 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
            413,
        ),
        (b"x" * (6 * 1024 * 1024 + 1), "multipart/form-data; boundary=x", 413),
    ],
)
def test_uploads(client: FlaskClient, data: bytes, content_type: str, status: int) -> None:
    answer = client.post("/api/v1/files", data=data, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_an_honest_upload(client: FlaskClient) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="roster.xlsx"\r\n\r\n'
    data = head + b"x" * 2_000_000 + b"\r\n--x--\r\n"
    answer = client.post("/api/v1/files", data=data, content_type="multipart/form-data; boundary=x")
    assert answer.json == {"size": 2_000_000}
