"""The audit trail over HTTP: which service is asked, with what."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.blueprints import audit as blueprint
from services.shared.actor import Role
from services.shared.ids import new_id
from services.shared.settings import SERVICES

AUDITOR = (Role.AUDITOR, "CN")
API = "/api/v1/audit-records"
EMPTY = {"items": [], "next_cursor": None}


@pytest.fixture
def client(make_app) -> FlaskClient:
    return make_app(blueprint).test_client()


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_named_is_asked(client, bus, tokens, service):
    bus.answer(service, "search_audit", EMPTY)
    assert client.get(API, query_string={"service": service}, headers=tokens.headers(None, AUDITOR)).json == EMPTY
    assert [sent.service for sent in bus.sent] == [service]
    assert bus.sent[0].arguments == {"limit": 50, "cursor": None}


def test_every_condition_arrives_as_the_service_reads_it(client, bus, tokens):
    from services.shared.audit_trail import SearchAudit

    bus.answer(
        "org", "search_audit", {"items": [], "next_cursor": {"at": "2023-01-10T02:00:00.000000Z", "id": str(new_id())}}
    )
    query: dict[str, Any] = {
        "service": "org",
        "actor": "service:cli",
        "subject": str(new_id()),
        "action": "grant_role",
        "place": "CN/440000",
        "since": "2023-01-10T10:00:00+08:00",
        "until": "2023-01-11T10:00:00+08:00",
        "refused": "true",
    }
    first = client.get(API, query_string=query, headers=tokens.headers(None, AUDITOR)).json
    headers = tokens.headers(None, AUDITOR)
    again = client.get(API, query_string={**query, "cursor": first["next_cursor"]}, headers=headers)
    assert again.status_code == 400, "another reader's cursor"
    loaded = SearchAudit().load(bus.sent[0].arguments)
    assert (loaded["refused"], loaded["action"], loaded["place"]) == (True, "grant_role", "CN/440000")
    assert bus.sent[0].arguments["since"] == "2023-01-10T02:00:00.000000Z"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"service": "gateway"},
        {"service": "org", "since": "2023-01-10T10:00:00"},
        {"service": "org", "place": "CN'--"},
        {"service": "org", "subject": "x"},
        {"service": "org", "action": "Grant"},
        {"service": "org", "other": "1"},
    ],
)
def test_a_malformed_search_asks_nobody(client, bus, tokens, query):
    assert client.get(API, query_string=query, headers=tokens.headers(None, AUDITOR)).status_code == 400
    assert bus.sent == []


def test_whoever_is_no_auditor_is_refused(client, bus, tokens):
    for headers, status in (({}, 401), (tokens.headers(None, (Role.NATIONAL_OPERATOR, "CN")), 403)):
        assert client.get(API, query_string={"service": "org"}, headers=headers).status_code == status
    assert bus.sent == []
