"""Routes of degree and skills offers."""

from __future__ import annotations

import pytest

from gateway.blueprints import further_study as blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict
from services.shared.ids import new_id

CITY = "CN/440000/440100"
CENTRE = (Role.CITY_CENTRE, CITY)
OFFER_ID, APPLICATION_ID = str(new_id()), str(new_id())
OFFER = {
    "kind": "DEGREE",
    "title": "教育硕士",
    "institution": "某师范大学",
    "fee": "30000.00",
    "applies_from": "2026-03-01T00:00:00+08:00",
    "applies_until": "2026-04-01T00:00:00+08:00",
}
OFFER_KEY, APPLICATION_KEY = {"offer_id": OFFER_ID}, {"application_id": APPLICATION_ID}
COMMANDS = [
    ("post", "/study-offers", "create_study_offer", {"place": CITY, **OFFER}, {}, 201),
    ("put", f"/study-offers/{OFFER_ID}", "change_study_offer", {"version": 1, **OFFER}, OFFER_KEY, 200),
    ("post", f"/study-offers/{OFFER_ID}/withdrawal", "withdraw_study_offer", {"version": 1, "reason": "停招"},
     OFFER_KEY, 200),
    ("post", f"/study-offers/{OFFER_ID}/applications", "apply_for_study", {"note": "申请"}, OFFER_KEY, 201),
    ("post", f"/study-applications/{APPLICATION_ID}/withdrawal", "take_back_study_application", None,
     APPLICATION_KEY, 200),
    ("post", f"/study-applications/{APPLICATION_ID}/acceptance", "accept_study_application", None,
     APPLICATION_KEY, 200),
    ("post", f"/study-applications/{APPLICATION_ID}/rejection", "reject_study_application", {"reason": "名额已满"},
     APPLICATION_KEY, 200),
]  # fmt: skip


@pytest.fixture
def client(make_app):
    return make_app(blueprint).test_client()


@pytest.mark.parametrize(("verb", "path", "method", "body", "key", "status"), COMMANDS)
def test_each_act_travels_as_it_was_asked(client, bus, tokens, verb, path, method, body, key, status) -> None:
    bus.answer("catalog", method, {"state": "APPLIED" if "study_application" in method else "OPEN"})
    answer = getattr(client, verb)(f"/api/v1{path}", json=body, headers=tokens.headers(None, CENTRE))
    assert answer.status_code == status, answer.json
    assert bus.sent[0].arguments == {**key, **(body or {})}
    assert bus.sent[0].command_id


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/study-offers?place={CITY}&kind=SKILL", "list_study_offers"),
        (f"/kept-study-offers?place={CITY}", "list_kept_study_offers"),
        (f"/study-offers/{OFFER_ID}/applications?state=APPLIED", "list_study_applications"),
        ("/study-applications?limit=5", "list_own_study_applications"),
    ],
)
def test_lists_go_on_with_sealed_cursors(client, bus, tokens, path, method) -> None:
    bus.answer("catalog", method, {"items": [], "next_cursor": OFFER_ID})
    headers = tokens.headers(None, CENTRE)
    cursor = client.get(f"/api/v1{path}", headers=headers).json["next_cursor"]
    client.get(f"/api/v1{path}{'&' if '?' in path else '?'}cursor={cursor}", headers=headers)
    assert [sent.arguments["cursor"] for sent in bus.sent] == [None, OFFER_ID]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/study-offers", {"place": CITY, **OFFER, "kind": "学历"}, "kind"),
        ("/study-offers", {"place": CITY, **OFFER, "fee": "免费"}, "fee"),
        ("/study-offers", {"place": "广州", **OFFER}, "place"),
        (f"/study-offers/{OFFER_ID}/applications", {"note": 1}, "note"),
        (f"/study-applications/{APPLICATION_ID}/rejection", {"reason": ""}, "reason"),
    ],
)
def test_bad_bodies_are_refused_before_they_travel(client, bus, tokens, path, body, field) -> None:
    answer = client.post(f"/api/v1{path}", json=body, headers=tokens.headers(None, CENTRE))
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert bus.sent == []


def test_refusals_are_told_in_the_language_asked_for(client, bus, tokens) -> None:
    bus.answer("catalog", "apply_for_study", Conflict("catalog.applied_already"))
    headers = tokens.headers() | {"Accept-Language": "en"}
    answer = client.post(f"/api/v1/study-offers/{OFFER_ID}/applications", json={}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "catalog.applied_already")
    assert "applied" in answer.json["detail"]
