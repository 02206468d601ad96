"""From refusal to HTTP: every status of the table, both languages, and a defect that tells nothing."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.errors import RETRY_AFTER, STATUS_OF_CODE, STATUS_OF_KIND
from gateway.messages import load_catalogue
from services.shared.errors import (
    Conflict,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
)
from tests.fakes import FakeBus

NOTE = "/api/v1/notes/0190a5a0-0000-7000-8000-000000000001"
REFUSALS: list[tuple[ServiceError, int]] = [
    (InvalidInput("shared.invalid", "title"), 400),
    (InvalidInput("shared.key_reused"), 422),
    (NotAllowed("shared.sign_in_first"), 401),
    (NotAllowed("shared.token_revoked"), 401),
    (NotAllowed("shared.not_allowed"), 403),
    (NotAllowed("shared.bad_actor_token"), 500),
    (NotFound("shared.not_found"), 404),
    (Conflict("shared.in_progress"), 409),
    (LimitReached("identity.sms_too_soon"), 429),
    (Unavailable("shared.unavailable"), 503),
    (Unavailable("shared.deadline"), 504),
    (Unavailable("shared.defect"), 500),
    (NotFound("shared.no_such_method"), 503),
]


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=lambda value: getattr(value, "code", value))
def test_each_refusal_has_its_status(client: FlaskClient, bus: FakeBus, error: ServiceError, status: int) -> None:
    bus.answer("notes", "get_note", error)
    answer = client.get(NOTE)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["code"] == error.code
    assert answer.json["field"] == error.field
    assert answer.json["call_id"] == answer.headers["X-Call-Id"]
    assert answer.json["type"] == f"urn:yanxiu:problem:{error.code}"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert ("Retry-After" in answer.headers) == (status in RETRY_AFTER)


def test_the_table_covers_every_kind() -> None:
    tried = {type(error) for error, _ in REFUSALS}
    assert tried == set(STATUS_OF_KIND)
    assert set(STATUS_OF_CODE.values()) <= {status for _, status in REFUSALS} | {411, 413, 415}


@pytest.mark.parametrize(
    ("accept", "language", "detail"),
    [
        ("", "zh", "没有找到。"),
        ("zh-CN,zh;q=0.9", "zh", "没有找到。"),
        ("en-US,en;q=0.8,zh;q=0.2", "en", "Not found."),
        ("en", "en", "Not found."),
        ("fr,de", "zh", "没有找到。"),
        ("zh;q=0.3, en;q=0.7", "en", "Not found."),
        ("\x7f;;q=q,,", "zh", ""),
    ],
)
def test_messages_follow_the_reader(client: FlaskClient, accept: str, language: str, detail: str) -> None:
    answer = client.get("/api/v1/nothing", headers={"Accept-Language": accept})
    assert answer.headers["Content-Language"] == language
    if detail:
        assert answer.json["detail"] == detail


def test_every_code_has_both_texts() -> None:
    catalogue = load_catalogue()
    for code in catalogue.codes():
        chinese, english = catalogue.text(code, "zh"), catalogue.text(code, "en")
        assert chinese
        assert english.isascii() or any(char in english for char in "’“”–…幼其"), code
        assert any("\u4e00" <= char <= "\u9fff" for char in chinese), code


def test_messages_of_services_are_known(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", Conflict("identity.profile_locked"))
    answer = client.get(NOTE, headers={"Accept-Language": "en"})
    assert answer.json["detail"].startswith("Your school has verified you")


def test_a_newer_services_code_reads_as_its_kind(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", Conflict("org.of_tomorrow"))
    answer = client.get(NOTE, headers={"Accept-Language": "en"})
    assert answer.status_code == 409
    assert answer.json["code"] == "org.of_tomorrow"
    assert answer.json["detail"] == "The present state does not allow this."


def test_a_stated_wait_is_passed_on(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", LimitReached("identity.sms_too_soon", "", "retry_after_seconds=42"))
    assert client.get(NOTE).headers["Retry-After"] == "42"


def test_a_defect_tells_only_the_call_id(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/api/v1/defects")
    assert answer.status_code == 500
    assert answer.json["code"] == "shared.defect"
    assert "secret" not in answer.text
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert answer.json["call_id"] in logged


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/api/v1/notes", 405), ("TRACE", "/api/v1/notes", 405), ("POST", "/live", 405)],
)
def test_wrong_addresses_are_problems_too(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert ("Allow" in answer.headers) == (status == 405)


def test_every_fault_is_listed_first_one_in_field(client: FlaskClient) -> None:
    body: dict[str, Any] = {"segments": [{"start": 5, "end": "x"}, {"start": -1}], "colour": 1}
    answer = client.post("/api/v1/notes", json=body, headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    faults = {fault["field"]: fault["code"] for fault in answer.json["errors"]}
    assert faults == {
        "title": "shared.required",
        "segments.0.end": "shared.wrong_type",
        "segments.1.start": "shared.out_of_range",
        "segments.1.end": "shared.required",
        "colour": "shared.unknown_field",
    }
    assert answer.json["field"] == answer.json["errors"][0]["field"]


def test_faults_are_told_in_chinese_by_default(client: FlaskClient) -> None:
    answer = client.post("/api/v1/notes", json={})
    assert answer.json["errors"] == [{"field": "title", "code": "shared.required", "message": "缺少必填项。"}]
