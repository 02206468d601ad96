"""Degree and skills offers: who sees and keeps them, who applies when, and every refused transition."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest

from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.catalog.conftest import Ground
from tests.conftest import person

OFFER = {
    "kind": "DEGREE",
    "title": "教育硕士",
    "institution": "某师范大学",
    "level": "硕士",
    "fee": "30000",
    "applies_from": "2026-01-05T00:00:00+08:00",
    "applies_until": "2026-02-01T00:00:00+08:00",
}


class Fair:
    """A city of the test's own with its centre, a district and teachers."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.city = f"CN/440000/{new_id().hex[-6:]}"
        self.district = f"{self.city}/000001"
        self.centre = person(None, (Role.CITY_CENTRE, self.city))

    def offer(self, place: str = "", actor: Actor | None = None, **changes: Any) -> dict[str, Any]:
        wanted = {"place": place or self.city, **OFFER, **changes}
        made: dict[str, Any] = self.ground.call("create_study_offer", wanted, actor or self.centre)
        return made

    def teacher(self, place: str = "") -> Actor:
        return dataclasses.replace(person(), place=place or f"{self.district}/s{uuid.uuid4().hex}")

    def apply(self, offer: dict[str, Any], actor: Actor) -> dict[str, Any]:
        made: dict[str, Any] = self.ground.call("apply_for_study", {"offer_id": offer["offer_id"]}, actor)
        return made

    def act(self, method: str, application: dict[str, Any], actor: Actor, **more: Any) -> str:
        key = {"application_id": application["application_id"], **more}
        return str(self.ground.call(method, key, actor)["state"])

    def titles(self, place: str = "", **asked: Any) -> list[str]:
        page = self.ground.call("list_study_offers", {"place": place or self.district, **asked}, ANONYMOUS)
        return [item["title"] for item in page["items"]]


@pytest.fixture
def fair(ground: Ground) -> Fair:
    return Fair(ground)


def test_offers_are_shown_where_they_are_made_until_their_time_is_over(fair: Fair) -> None:
    fair.offer()
    fair.offer(title="心理咨询", kind="SKILL")
    keeper = person(None, (Role.DISTRICT_INSTITUTION, fair.district))
    fair.offer(fair.district, keeper, title="区里的项目")
    college = f"{fair.district}/s{uuid.uuid4().hex}"
    fair.offer(college, person(None, (Role.TRAINING_INSTITUTION, college)), title="学院的项目")
    assert fair.titles() == ["学院的项目", "区里的项目", "心理咨询", "教育硕士"]
    assert fair.titles(fair.city) == ["心理咨询", "教育硕士"]
    assert fair.titles(kind="SKILL") == ["心理咨询"]
    assert fair.titles(f"{fair.city}/000002") == ["心理咨询", "教育硕士"]
    fair.ground.at("2026-02-01T00:00:00+08:00")
    assert fair.titles() == []
    kept = fair.ground.call("list_kept_study_offers", {"place": fair.city}, fair.centre)["items"]
    assert len(kept) == 4


def test_an_application_is_made_once_and_may_be_taken_back(fair: Fair) -> None:
    offer, teacher = fair.offer(), fair.teacher()
    application = fair.apply(offer, teacher)
    assert application["state"] == "APPLIED"
    with pytest.raises(Conflict, match=r"catalog\.applied_already"):
        fair.apply(offer, teacher)
    with pytest.raises(NotFound):
        fair.act("take_back_study_application", application, fair.teacher())
    assert fair.act("take_back_study_application", application, teacher) == "TAKEN_BACK"
    again = fair.apply(offer, teacher)
    assert (again["state"], again["application_id"]) == ("APPLIED", application["application_id"])
    own = fair.ground.call("list_own_study_applications", {}, teacher)["items"]
    assert [each["offer_id"] for each in own] == [offer["offer_id"]]


@pytest.mark.parametrize("state", ["TAKEN_BACK", "ACCEPTED", "REJECTED"])
def test_what_is_settled_stays(fair: Fair, state: str) -> None:
    offer, teacher = fair.offer(), fair.teacher()
    application = fair.apply(offer, teacher)
    acts: dict[str, tuple[str, Actor, dict[str, str]]] = {
        "TAKEN_BACK": ("take_back_study_application", teacher, {}),
        "ACCEPTED": ("accept_study_application", fair.centre, {}),
        "REJECTED": ("reject_study_application", fair.centre, {"reason": "名额已满"}),
    }
    method, actor, more = acts[state]
    assert fair.act(method, application, actor, **more) == state
    for method, actor, more in acts.values():
        with pytest.raises(Conflict, match=r"catalog\.application_settled"):
            fair.act(method, application, actor, **more)
    if state != "TAKEN_BACK":
        with pytest.raises(Conflict, match=r"catalog\.applied_already"):
            fair.apply(offer, teacher)


def test_applications_are_taken_in_their_time_and_place_only(fair: Fair) -> None:
    offer = fair.offer(applies_from="2026-01-20T00:00:00+08:00")
    with pytest.raises(Conflict, match=r"catalog\.offer_not_open"):
        fair.apply(offer, fair.teacher())
    fair.ground.at("2026-01-20T00:00:00+08:00")
    for place in ("", "CN/440000/999999/s1"):
        with pytest.raises(NotFound, match=r"catalog\.offer_unknown"):
            fair.apply(offer, dataclasses.replace(person(), place=place))
    assert fair.apply(offer, fair.teacher())
    fair.ground.at("2026-02-01T00:00:00+08:00")
    with pytest.raises(Conflict, match=r"catalog\.offer_not_open"):
        fair.apply(offer, fair.teacher())
    with pytest.raises(NotAllowed):
        fair.apply(offer, ANONYMOUS)


def test_the_keeper_decides_and_nobody_about_himself(fair: Fair) -> None:
    offer = fair.offer()
    applicant = dataclasses.replace(fair.centre, place=f"{fair.district}/s1")
    own = fair.apply(offer, applicant)
    with pytest.raises(NotAllowed, match=r"catalog\.own_application"):
        fair.act("accept_study_application", own, applicant)
    stranger = person(None, (Role.DISTRICT_INSTITUTION, fair.district))
    with pytest.raises(NotFound):
        fair.act("accept_study_application", own, stranger)
    with pytest.raises(NotFound):
        fair.ground.call("list_study_applications", {"offer_id": offer["offer_id"]}, stranger)
    colleague = person(None, (Role.CITY_CENTRE, fair.city))
    assert fair.act("reject_study_application", own, colleague, reason="学历不符") == "REJECTED"
    [row] = fair.ground.audited(str(applicant.account_id))
    assert (row.action, row.reason) == ("reject_study_application", "学历不符")
    asked = {"offer_id": offer["offer_id"], "state": "REJECTED"}
    assert len(fair.ground.call("list_study_applications", asked, colleague)["items"]) == 1


def test_offers_change_by_version_until_they_are_withdrawn(fair: Fair) -> None:
    offer = fair.offer()
    key = {"offer_id": offer["offer_id"], "version": 1}
    changed = fair.ground.call("change_study_offer", {**key, **OFFER, "fee": "28000"}, fair.centre)
    assert (changed["version"], changed["fee"]) == (2, "28000.00")
    with pytest.raises(Conflict, match=r"catalog\.offer_version"):
        fair.ground.call("change_study_offer", {**key, **OFFER}, fair.centre)
    wrong = {**key, "version": 2, **OFFER, "applies_until": OFFER["applies_from"]}
    with pytest.raises(InvalidInput, match=r"catalog\.offer_window"):
        fair.ground.call("change_study_offer", wrong, fair.centre)
    gone = fair.ground.call("withdraw_study_offer", {**key, "version": 2, "reason": "停招"}, fair.centre)
    assert gone["state"] == "WITHDRAWN"
    for method, more in (("change_study_offer", OFFER), ("withdraw_study_offer", {"reason": "停招"})):
        with pytest.raises(Conflict, match=r"catalog\.offer_withdrawn"):
            fair.ground.call(method, {**key, "version": 3, **more}, fair.centre)
    with pytest.raises(Conflict, match=r"catalog\.offer_withdrawn"):
        fair.apply(offer, fair.teacher())
    assert fair.titles() == []
