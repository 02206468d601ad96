"""What is logged and measured: route templates and codes, never ids, queries, bodies or tokens."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

NOTE_ID = "0190a5a0-0000-7000-8000-000000000001"


def test_the_access_log_holds_no_ids(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.answer("notes", "get_note", {})
    headers = tokens.headers()
    answer = client.get(f"/api/v1/notes/{NOTE_ID}", headers=headers)
    client.get("/api/v1/notes?cursor=440103199001011234")
    client.get("/api/v1/440103199001011234")
    client.post("/api/v1/notes", json={"title": 5, "440103199001011234": "13800138000"})
    logged = capsys.readouterr().out
    assert "/api/v1/notes/<uuid:note_id>" in logged
    assert answer.headers["X-Call-Id"] in logged
    for secret in (NOTE_ID, "440103199001011234", "13800138000", headers["Authorization"][7:40]):
        assert secret not in logged


def test_metrics_have_route_templates(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "get_note", {})
    client.get(f"/api/v1/notes/{NOTE_ID}")
    client.get("/made/up/address")
    client.open("/made/up/address", method="BREW")
    text = client.get("/metrics").text
    assert 'yanxiu_http_seconds_count{method="GET",route="/api/v1/notes/<uuid:note_id>",status="200"}' in text
    assert 'route="unmatched"' in text
    assert 'method="OTHER"' in text
    assert NOTE_ID not in text
    assert "made/up" not in text
    assert "BREW" not in text


@pytest.mark.parametrize(
    "outsider", [{"REMOTE_ADDR": "8.8.8.8"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, {"REMOTE_ADDR": ""}]
)
def test_metrics_are_internal(client: FlaskClient, outsider: dict[str, str]) -> None:
    assert client.get("/metrics", environ_overrides=outsider).status_code == 404


def test_live_and_ready(client: FlaskClient, bus: FakeBus) -> None:
    assert client.get("/live").json == {"status": "live"}
    assert client.get("/ready").json == {"status": "ready", "checks": {"bus": True, "revocations": True}}
    bus.down = True
    assert client.get("/live").status_code == 200
    down = client.get("/ready")
    assert down.status_code == 503
    assert down.json["checks"]["bus"] is False
