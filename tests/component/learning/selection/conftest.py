"""A city with two districts, its period and a district's, offerings, and teachers who choose."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.learning.service import LearningService
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.conftest import Component, FixedClock, person

CITY = "CN/440000/440100"
DISTRICT, NEIGHBOUR = f"{CITY}/440103", f"{CITY}/440104"
SCHOOL, OTHER_SCHOOL, FAR_SCHOOL = f"{DISTRICT}/s1", f"{DISTRICT}/s2", f"{NEIGHBOUR}/s3"
OPENS = clock.parse_instant("2023-03-01T00:00:00+08:00")
ENDS = clock.parse_instant("2023-03-11T00:00:00+08:00")
SCHOOL_IDS = {place: uuid.uuid5(uuid.NAMESPACE_URL, place) for place in (SCHOOL, OTHER_SCHOOL, FAR_SCHOOL)}
EVERYBODY: dict[str, list[str]] = {"segments": [], "subjects": [], "place_ids": [], "school_ids": []}


class FakeBilling:
    """Answers which teachers are held; `down` does not answer."""

    def __init__(self) -> None:
        self.held: dict[str, list[str]] = {}
        self.down = False
        self.asked = 0

    def call(self, service: str, method: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert (service, method) == ("billing", "find_holds")
        self.asked += 1
        if self.down:
            raise Unavailable("shared.no_answer")
        found = [
            {"teacher_id": each, "kind": "SPECIAL_USER", "occurrence": 1, "blocks": self.held[each]}
            for each in arguments["teacher_ids"]
            if each in self.held
        ]
        return {"holds": found}


@dataclasses.dataclass
class Market:
    """Learning with what the catalogue and billing would have told it."""

    learning: Component
    billing: FakeBilling
    clock: FixedClock

    def at(self, text: str) -> None:
        self.clock.instant = clock.parse_instant(text)

    def period(self, **terms: Any) -> dict[str, Any]:
        payload = {
            "period_id": str(new_id()),
            "version": 1,
            "code": "2023-1",
            "title": "2023年上半年",
            "tier": "CITY",
            "place_id": CITY,
            "year": 2023,
            "state": "PUBLISHED",
            "selects_from": clock.format_instant(OPENS),
            "selects_until": clock.format_instant(ENDS),
            "due_on": "2023-03-31",
            **terms,
        }
        self.learning.deliver("on_period_changed", "catalog.period_changed", payload)
        return payload

    def offering(self, period: dict[str, Any], **terms: Any) -> dict[str, Any]:
        payload = {
            "offering_id": str(new_id()),
            "version": 1,
            "period_id": period["period_id"],
            "tier": period["tier"],
            "place_id": period["place_id"],
            "course_id": str(new_id()),
            "course_no": "C0001",
            "title": "信息技术与教学",
            "hour_type": "PROFESSIONAL",
            "course_type": "REMOTE",
            "hours": "18.00",
            "fee": "100.00",
            "material_fee": "20.00",
            "public_course": False,
            "applicant_unit_id": str(new_id()),
            "applicant_place": period["place_id"],
            "charging_unit_id": str(uuid.uuid5(uuid.NAMESPACE_URL, period["place_id"])),
            "charging_place": period["place_id"],
            "capacity": None,
            "audience": EVERYBODY,
            "capability": False,
            "capability_class": None,
            "state": "OPEN",
            **terms,
        }
        self.learning.deliver("on_offering_changed", "catalog.offering_changed", payload)
        return payload

    def teacher(
        self,
        place: str = SCHOOL,
        *,
        state: str = "VERIFIED",
        segment: str = "PRIMARY",
        subject: str = "CHINESE",
        version: int = 1,
        actor: Actor | None = None,
    ) -> Actor:
        actor = actor or person()
        profile = {
            "account_id": str(actor.account_id),
            "version": version,
            "complete": True,
            "segment": segment,
            "subject": subject,
        }
        self.learning.deliver("on_profile_changed", "identity.profile_changed", profile)
        membership = {
            "teacher_id": str(actor.account_id),
            "version": version,
            "state": state,
            "school_id": str(SCHOOL_IDS[place]) if place in SCHOOL_IDS else None,
            "school_name": "东风小学",
            "place": place,
            "effective_at": clock.format_instant(OPENS),
        }
        self.learning.deliver("on_membership_changed", "org.membership_changed", membership)
        return actor

    def choose(self, actor: Actor, offering: dict[str, Any], command_id: str | None = None) -> Any:
        return self.learning.call("choose_course", {"offering_id": offering["offering_id"]}, actor, command_id)

    def choose_for(self, admin: Actor, teacher: Actor, offering: dict[str, Any]) -> Any:
        wanted = {"teacher_id": str(teacher.account_id), "offering_id": offering["offering_id"]}
        return self.learning.call("choose_course_for", wanted, admin)

    def cancel(self, actor: Actor, choice: dict[str, Any]) -> Any:
        return self.learning.call("cancel_choice", {"choice_id": choice["choice_id"]}, actor)

    def void(self, actor: Actor, choice: dict[str, Any]) -> Any:
        return self.learning.call("void_choice", {"choice_id": choice["choice_id"], "reason": "停课"}, actor)

    def close(self) -> None:
        self.learning.service.close_selection(self.clock.instant)

    def charge(self, choice: dict[str, Any], state: str, version: int) -> None:
        payload = {
            **{name: choice[name] for name in ("choice_id", "teacher_id", "period_id", "offering_id")},
            "bill_id": str(new_id()),
            "state": state,
            "version": version,
        }
        self.learning.deliver("on_charge_changed", "billing.charge_changed", payload)

    def admitted(self, actor: Actor, offering: dict[str, Any]) -> dict[str, Any]:
        """A choice of a period whose window has ended, paid."""
        choice = self.choose(actor, offering)
        self.at("2023-03-11T00:00:00+08:00")
        self.close()
        self.charge(choice, "BILLED", 1)
        self.charge(choice, "ADMITTED", 2)
        self.at("2023-03-05T10:00:00+08:00")
        return choice

    def told(self, event: str, **about: Any) -> list[dict[str, Any]]:
        return [each for each in self.learning.outbox(event) if about.items() <= each.items()]

    def state(self, choice: dict[str, Any]) -> str:
        return self.told("learning.choice_changed", choice_id=choice["choice_id"])[-1]["state"]

    def taken(self, offering: dict[str, Any]) -> int:
        with self.learning.database.work() as db:
            return db.scalar(
                sa.text("SELECT taken FROM seats WHERE offering_id = :id"), {"id": offering["offering_id"]}
            )

    def count(self, statement: str, **given: Any) -> int:
        with self.learning.database.work() as db:
            return db.scalar(sa.text(statement), given) or 0


def school_admin(place: str = SCHOOL) -> Actor:
    return person(None, (Role.SCHOOL_ADMIN, place))


def centre(place: str = CITY) -> Actor:
    return person(None, (Role.CITY_CENTRE, place))


def institution(place: str = DISTRICT) -> Actor:
    return person(None, (Role.DISTRICT_INSTITUTION, place))


@pytest.fixture
def market(component: Any, fixed_clock: FixedClock) -> Market:
    """It is the fifth day of the window."""
    billing = FakeBilling()
    fixed_clock.instant = OPENS + dt.timedelta(days=4, hours=10)
    return Market(component(LearningService, bus=billing), billing, fixed_clock)
