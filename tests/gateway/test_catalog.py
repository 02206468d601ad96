"""Programmes over HTTP: a season file is a good body, readers revalidate cheaply, faults are named."""

from __future__ import annotations

import copy
import types
import uuid

import pytest

from gateway import warm
from gateway.blueprints import catalog as blueprint
from services.catalog import season_file
from services.shared.actor import Role

SEASON = season_file.read_shipped_season("2023-winter")
PROGRAMME_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "a programme"))
PROGRAMME = {
    "programme_id": PROGRAMME_ID,
    "code": "2023-winter",
    "version": 1,
    "state": "OPEN",
    "titles": SEASON["titles"],
    "opens_at": SEASON["opens_at"],
    "closes_at": SEASON["closes_at"],
    "rule_pack": "smartedu-2023-winter",
    "content_hash": "ab" * 32,
}


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


def test_a_season_file_can_be_published_as_it_is(client, bus, tokens):
    reply = {"programme_id": PROGRAMME_ID, "code": "2023-winter", "version": 1, "content_hash": "ab", "published": True}
    bus.answer("catalog", "publish_programme", reply)
    headers = {**tokens.headers(None, (Role.NATIONAL_OPERATOR, "CN")), "Idempotency-Key": "publish-2023-winter"}
    response = client.post("/api/v1/programmes", json=SEASON, headers=headers)
    assert (response.status_code, response.json) == (200, reply)
    [sent] = bus.sent
    assert sent.arguments == SEASON
    assert sent.command_id == "publish-2023-winter"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda season: season.pop("code"), "code"),
        (lambda season: season.update(surprise=1), "surprise"),
        (lambda season: season["courses"][0]["videos"][0].update(seconds="900"), "courses.0.videos.0.seconds"),
        (lambda season: season["courses"][0]["videos"][0].update(seconds=900.5), "courses.0.videos.0.seconds"),
        (lambda season: season["courses"][0].update(quiz_required="yes"), "courses.0.quiz_required"),
        (lambda season: season.update(courses={}), "courses"),
    ],
)
def test_a_faulty_season_is_refused_with_its_place(client, bus, tokens, change, field):
    season = copy.deepcopy(SEASON)
    change(season)
    response = client.post(
        "/api/v1/programmes", json=season, headers=tokens.headers(None, (Role.NATIONAL_OPERATOR, "CN"))
    )
    assert (response.status_code, response.json["field"]) == (400, field)
    assert bus.sent == []


def test_a_reader_who_has_this_version_gets_no_body(client, bus, monkeypatch):
    passing = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(warm, "time", types.SimpleNamespace(monotonic=lambda: passing.now))
    bus.answer("catalog", "get_programme", {**PROGRAMME, "courses": []})
    address = f"/api/v1/programmes/{PROGRAMME_ID}"
    first = client.get(address)
    assert first.status_code == 200
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(bus.sent) == 1
    passing.now += blueprint.SECONDS
    bus.answer("catalog", "get_programme", {**PROGRAMME, "state": "CLOSED", "courses": []})
    closed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (closed.status_code, closed.json["state"]) == (200, "CLOSED")


def test_answers_would_not_pass_even_if_a_service_told_them(client, bus):
    quiz = {"quiz_id": PROGRAMME_ID, "at_seconds": 600, "prompt": "?", "options": ["a", "b"], "answers": ["a"]}
    video = {"activity_id": PROGRAMME_ID, "key": "v1", "title": "t", "seconds": 900, "quizzes": [quiz]}
    course = {
        "course_id": PROGRAMME_ID,
        "key": "c",
        "title": "t",
        "opens_at": "",
        "quiz_required": True,
        "videos": [video],
    }
    bus.answer("catalog", "get_programme", {**PROGRAMME, "courses": [course]})
    assert b"answers" not in client.get(f"/api/v1/programmes/{PROGRAMME_ID}").data


def test_pages_are_asked_for_with_sealed_cursors(client, bus):
    bus.answer("catalog", "list_programmes", {"items": [PROGRAMME], "next_cursor": "2023-winter"})
    first = client.get("/api/v1/programmes?limit=1").json
    assert first["items"] == [PROGRAMME]
    client.get("/api/v1/programmes", query_string={"cursor": first["next_cursor"]})
    assert [sent.arguments for sent in bus.sent] == [{"cursor": "", "limit": 1}, {"cursor": "2023-winter", "limit": 50}]
    refused = client.get("/api/v1/programmes?cursor=2023-winter")
    assert (refused.status_code, refused.json["code"]) == (400, "shared.bad_cursor")


def test_each_place_is_given_its_own_list(client, bus, tokens):
    """What is kept ready for one city's teachers is told to nobody elsewhere."""
    address = "/api/v1/programmes"
    here = tokens.headers(None, (Role.SCHOOL_ADMIN, "CN/350000/350300/350302/s1"))
    there = tokens.headers(None, (Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s2"))
    bus.answer("catalog", "list_programmes", {"items": [PROGRAMME], "next_cursor": None})
    assert len(client.get(address, headers=here).json["items"]) == 1
    bus.answer("catalog", "list_programmes", {"items": [], "next_cursor": None})
    for headers in ({}, there):
        reply = client.get(address, headers=headers)
        assert reply.json["items"] == []
        assert "Authorization" in reply.headers["Vary"]
    assert len(client.get(address, headers=here).json["items"]) == 1
