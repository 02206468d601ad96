"""Statistics over HTTP."""

from __future__ import annotations

import pytest

from gateway.blueprints import statistics as blueprint
from services.shared.actor import Role
from services.shared.ids import new_id

PROGRAMME, COUNTY = str(new_id()), "CN/440000/440100/440103"


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.fixture
def headers(tokens):
    return tokens.headers(None, (Role.COUNTY_ADMIN, COUNTY))


def test_a_place_is_asked_for_by_programme_or_for_its_persons(client, bus, headers):
    bus.answer("credits", "get_statistics", {"place": COUNTY, "enrolled": 3, "hours": "6.00"})
    answer = client.get(f"/api/v1/statistics?place={COUNTY}&programme_id={PROGRAMME}", headers=headers)
    assert (answer.status_code, answer.json["enrolled"], answer.json["hours"]) == (200, 3, "6.00")
    client.get(f"/api/v1/statistics?place={COUNTY}", headers=headers)
    assert [sent.arguments for sent in bus.sent] == [
        {"place": COUNTY, "programme_id": PROGRAMME},
        {"place": COUNTY},
    ]


def test_places_below_come_by_the_page_under_a_sealed_cursor(client, bus, headers):
    bus.answer(
        "credits", "list_statistics_below", {"items": [{"place": f"{COUNTY}/s1"}], "next_cursor": f"{COUNTY}/s1"}
    )
    first = client.get(f"/api/v1/statistics/below?place={COUNTY}&limit=1", headers=headers).json
    assert COUNTY not in first["next_cursor"]
    client.get(f"/api/v1/statistics/below?place={COUNTY}&limit=1&cursor={first['next_cursor']}", headers=headers)
    assert bus.sent[-1].arguments["cursor"] == f"{COUNTY}/s1"


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "place"), (f"place={COUNTY}&programme_id=x", "programme_id"), (f"place={COUNTY}&sort=hours", "sort")],
)
def test_bad_queries_are_named(client, bus, headers, query, field):
    answer = client.get(f"/api/v1/statistics?{query}", headers=headers)
    assert (answer.status_code, answer.json["field"], bus.sent) == (400, field, [])


def test_days_are_days(client, bus, headers):
    bus.answer("credits", "list_statistics_by_day", {"items": []})
    query = f"place={COUNTY}&first=2023-01-01&last=2023-01-31"
    assert client.get(f"/api/v1/statistics/by-day?{query}", headers=headers).status_code == 200
    assert bus.sent[-1].arguments == {"place": COUNTY, "first": "2023-01-01", "last": "2023-01-31"}
    assert client.get(f"/api/v1/statistics/by-day?{query}x", headers=headers).json["field"] == "last"


def test_teachers_of_a_place_are_asked_for_by_programme_and_stage(client, bus, headers):
    bus.answer("credits", "list_teacher_statistics", {"items": [], "next_cursor": [f"{COUNTY}/s1", PROGRAMME]})
    path = f"/api/v1/statistics/teachers?place={COUNTY}&programme_id={PROGRAMME}"
    first = client.get(f"{path}&stage=STUDYING&limit=1", headers=headers)
    assert first.status_code == 200
    client.get(f"{path}&cursor={first.json['next_cursor']}", headers=headers)
    assert bus.sent[1].arguments["cursor"] == [f"{COUNTY}/s1", PROGRAMME]
    assert (bus.sent[0].arguments["stage"], bus.sent[0].arguments["cursor"]) == ("STUDYING", None)
    for bad in ("&stage=NEAR", "&limit=0"):
        assert client.get(path + bad, headers=headers).status_code == 400
    assert client.get(f"/api/v1/statistics/teachers?place={COUNTY}", headers=headers).status_code == 400
