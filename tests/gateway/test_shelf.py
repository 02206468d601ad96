"""The shelf over HTTP: kept ready for a moment and for each audience by itself, found, rated, recommended."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gateway import warm as warm_module
from gateway.blueprints import shelf as shelf_blueprint
from services.shared.actor import Role
from services.shared.errors import NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id

CITY = "CN/440000/440100"
YUEXIU, HAIZHU = f"{CITY}/440104", f"{CITY}/440105"
OFFERING_ID = str(new_id())
PATH = f"/api/v1/offerings?place={YUEXIU}"
PAGE: dict[str, Any] = {"items": [{"offering_id": OFFERING_ID, "title": "区级课程"}], "next_cursor": ["0", OFFERING_ID]}
NOTHING: dict[str, Any] = {"items": [], "next_cursor": None}


class Passing:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Passing:
    passing = Passing()
    monkeypatch.setattr(warm_module, "time", passing)
    return passing


@pytest.fixture
def client(make_app):
    return make_app(shelf_blueprint).test_client()


def school(district: str) -> str:
    return f"{district}/s{uuid.uuid4().hex}"


def test_the_same_question_is_asked_once_for_a_moment(client, bus, passing) -> None:
    bus.answer("catalog", "list_offerings", PAGE)
    first = client.get(PATH)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=1")
    assert "Authorization" in first.headers["Vary"]
    assert client.get(PATH).data == first.data
    assert client.get(PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert len(bus.sent) == 1
    passing.now += 1.0
    bus.answer("catalog", "list_offerings", NOTHING)
    assert client.get(PATH, headers={"If-None-Match": first.headers["ETag"]}).json["items"] == []
    assert len(bus.sent) == 2


def test_a_districts_answer_is_for_its_own_people(client, bus, tokens, passing) -> None:
    """What one was told is told to no one who stands elsewhere, and to no proxy."""
    one, colleague = (tokens.headers(plc=school(YUEXIU)) for _ in range(2))
    elsewhere = tokens.headers(plc=school(HAIZHU))
    keeper = tokens.headers(None, (Role.DISTRICT_INSTITUTION, YUEXIU), plc=school(HAIZHU))
    bus.answer("catalog", "list_offerings", PAGE)
    told = client.get(PATH, headers=one)
    assert told.headers["Cache-Control"] == "private, max-age=1"
    bus.answer("catalog", "list_offerings", NOTHING)
    assert client.get(PATH, headers=colleague).data == told.data
    assert len(bus.sent) == 1
    for headers in (elsewhere, keeper, {}):
        assert client.get(PATH, headers=headers).json["items"] == []
    assert len(bus.sent) == 4
    # The twin: an audience that says nothing would hand the district's courses to anybody.
    assert client.get(PATH, headers=colleague).data == told.data


def test_without_the_audience_others_would_be_told(client, bus, tokens, passing, monkeypatch) -> None:
    monkeypatch.setattr(warm_module, "audience_of", lambda _actor: "")
    bus.answer("catalog", "list_offerings", PAGE)
    client.get(PATH, headers=tokens.headers(plc=school(YUEXIU)))
    bus.answer("catalog", "list_offerings", NOTHING)
    assert client.get(PATH).json["items"] != [], "the sabotage is seen"


def test_a_page_that_several_are_given_goes_on_for_each_of_them(client, bus, tokens, passing) -> None:
    bus.answer("catalog", "list_offerings", PAGE)
    one, colleague = (tokens.headers(plc=school(YUEXIU)) for _ in range(2))
    cursor = client.get(PATH, headers=one).json["next_cursor"]
    answer = client.get(f"{PATH}&cursor={cursor}", headers=colleague)
    assert answer.status_code == 200
    assert bus.sent[-1].arguments["cursor"] == ["0", OFFERING_ID]
    assert client.get(f"{PATH}&cursor=x", headers=one).status_code == 400


def test_refusals_are_never_kept(client, bus, passing) -> None:
    path = f"/api/v1/offerings/{OFFERING_ID}"
    bus.answer("catalog", "get_offering", NotFound("catalog.offering_unknown", "offering_id"))
    assert client.get(path).status_code == 404
    bus.answer("catalog", "get_offering", {"offering_id": OFFERING_ID, "title": "新课"})
    assert client.get(path).json["title"] == "新课"


def test_filters_travel_as_they_were_asked(client, bus, passing) -> None:
    bus.answer("catalog", "list_offerings", NOTHING)
    asked = {"order": "PEERS", "subject": "语文", "hours_from": "6", "capability": "false", "q": "阅读", "limit": 5}
    assert client.get("/api/v1/offerings", query_string={"place": CITY, **asked}).status_code == 200
    sent = bus.sent[0].arguments
    assert sent == {**asked, "place": CITY, "capability": False, "limit": 5, "cursor": None}
    bus.answer("catalog", "list_series", {"items": [{"series": "微课", "courses": 2, "hours": "4.00"}]})
    assert client.get(f"/api/v1/course-series?place={CITY}").json["items"][0]["courses"] == 2


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"order": "BEST"}, "order"),
        ({"segment": "小"}, "segment"),
        ({"hours_to": "-1"}, "hours_to"),
        ({"q": " "}, "q"),
        ({"limit": 201}, "limit"),
        ({"place": "广州"}, "place"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_questions_are_refused_before_they_travel(client, bus, asked, field) -> None:
    answer = client.get("/api/v1/offerings", query_string={"place": CITY, **asked})
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_a_rating_travels_as_a_command(client, bus, tokens) -> None:
    path = f"/api/v1/offerings/{OFFERING_ID}/rating"
    bus.answer("catalog", "rate_offering", {"offering_id": OFFERING_ID, "stars": 4})
    headers = tokens.headers() | {"Idempotency-Key": "rate-0001"}
    assert client.put(path, json={"stars": 4}, headers=headers).json["stars"] == 4
    assert bus.sent[0].arguments == {"offering_id": OFFERING_ID, "stars": 4}
    for stars in (0, 6, "4", 4.5, None):
        assert client.put(path, json={"stars": stars}, headers=tokens.headers()).status_code == 400
    bus.answer("catalog", "rate_offering", NotAllowed("catalog.not_passed"))
    assert client.put(path, json={"stars": 4}, headers=tokens.headers()).status_code == 403
    bus.answer("catalog", "get_own_rating", {"offering_id": OFFERING_ID, "stars": None, "may_rate": True})
    assert client.get(path, headers=tokens.headers()).json == {
        "offering_id": OFFERING_ID, "stars": None, "may_rate": True,
    }  # fmt: skip


SHORTFALLS = [
    {"rule_id": "GZ.YEAR.A", "measure": "total", "missing": "40.00"},
    {"rule_id": "GZ.YEAR.A", "measure": "公需科目", "missing": "18.00"},
    {"rule_id": "GX.YEAR", "measure": "集中培训+远程培训", "missing": "9.00"},
]
RECOMMENDED = {"items": [{"offering": {"title": "公需课"}, "reasons": ["HOURS_MISSING", "SUBJECT"]}]}


def test_the_recommendation_knows_what_the_year_lacks(client, bus, tokens) -> None:
    bus.answer("credits", "get_year_verification", {"verification": {"shortfalls": SHORTFALLS}})
    bus.answer("catalog", "recommend_offerings", RECOMMENDED)
    answer = client.get("/api/v1/recommended-offerings", headers=tokens.headers())
    assert answer.json["missing"] == {"PUBLIC": "18.00"}
    assert bus.sent[1].arguments == {"gaps": [{"hour_type": "PUBLIC", "hours": "18.00"}]}
    [item] = answer.json["items"]
    assert [each["code"] for each in item["reasons"]] == ["HOURS_MISSING", "SUBJECT"]
    assert item["reasons"][1]["text"] == "与您任教的学科一致"
    assert answer.headers["Cache-Control"] == "private, no-store"
    bus.answer("catalog", "recommend_offerings", {"items": [{"offering": {}, "reasons": ["NEW"]}]})
    english = client.get("/api/v1/recommended-offerings", headers=tokens.headers() | {"Accept-Language": "en"})
    assert english.json["items"][0]["reasons"] == [{"code": "NEW", "text": "New in this period"}]


@pytest.mark.parametrize("error", [NotFound("credits.no_scheme"), Unavailable("shared.deadline")])
def test_a_shelf_without_hours_is_better_than_none(client, bus, tokens, error) -> None:
    bus.answer("credits", "get_year_verification", error)
    bus.answer("catalog", "recommend_offerings", {"items": []})
    answer = client.get("/api/v1/recommended-offerings", headers=tokens.headers())
    assert (answer.status_code, answer.json) == (200, {"items": [], "missing": None})
    assert bus.sent[1].arguments == {"gaps": []}
