"""A city with its centre, two districts and institutions, courses and periods: what the tests of the catalogue stand on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog import contract
from services.catalog.service import CatalogService
from services.org.contract.units import SCHOOL_CHANGED
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.ids import new_id
from tests.conftest import Component, FixedClock, person

CITY = "CN/440000/440100"
YUEXIU, HAIZHU = f"{CITY}/440104", f"{CITY}/440105"
SHENZHEN = "CN/440000/440300"


class Ground:
    """The catalogue, and hands to do in it what its tests need."""

    def __init__(self, component: Component, clock_: FixedClock) -> None:
        self.component = component
        self.clock = clock_
        self.centre = person(None, (Role.CITY_CENTRE, CITY))
        self.district = person(None, (Role.DISTRICT_INSTITUTION, YUEXIU))
        self.college = self.unit(f"{CITY}/college", "广州市广播电视大学")
        self.school = self.unit(f"{YUEXIU}/school", "越秀区进修学校")

    def call(self, method: str, arguments: dict[str, Any], actor: Actor) -> Any:
        return self.component.call(method, arguments, actor)

    def at(self, instant: str) -> None:
        self.clock.instant = clock.parse_instant(instant)

    def unit(self, stem: str, name: str = "某机构", **changes: Any) -> dict[str, str]:
        """Org tells of a unit."""
        unit_id = str(new_id())
        place = f"{stem}-{unit_id[-12:]}"
        self.tell_unit(unit_id, place, name=name, **changes)
        return {"unit_id": unit_id, "place": place, "name": name}

    def tell_unit(
        self, unit_id: str, place: str, version: int = 1, name: str = "某机构", state: str = "ACTIVE"
    ) -> None:
        payload = {
            "school_id": unit_id,
            "version": version,
            "name": name,
            "seal_name": name,
            "place": place,
            "division_code": "440104",
            "code": None,
            "kind": "TRAINING_COLLEGE",
            "attachment": "COUNTY",
            "school_type": "OTHER",
            "nature": "PUBLIC",
            "state": state,
            "merged_into": None,
            "effective_at": clock.format_instant(clock.now()),
        }
        self.component.deliver("on_school_changed", SCHOOL_CHANGED, payload)

    def content(self, **changes: Any) -> dict[str, Any]:
        return {
            "course_no": f"C{str(new_id())[-12:]}",
            "title": "小学语文阅读教学",
            "lecturer": "李明",
            "hour_type": "PROFESSIONAL",
            "course_type": "REMOTE",
            "hours": "18",
            "fee": "90.00",
            "material_fee": "0",
            "subjects": ["语文"],
            "segments": ["PRIMARY"],
            "terminals": ["COMPUTER", "MOBILE"],
            "applicant_unit_id": self.college["unit_id"],
            "charging_unit_id": self.college["unit_id"],
            **changes,
        }

    def course(self, place: str = CITY, actor: Actor | None = None, **changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call(
            "create_course", {"place": place, **self.content(**changes)}, actor or self.keeper(place)
        )
        return made

    def keeper(self, place: str) -> Actor:
        role = Role.CITY_CENTRE if place.count("/") == 2 else Role.DISTRICT_INSTITUTION
        return person(None, (role, place))

    def plan(self, place: str = CITY, **changes: Any) -> dict[str, Any]:
        wanted = {
            "place": place,
            "code": f"2026-{str(new_id())[-8:]}",
            "title": "2026年第一期",
            "year": 2026,
            "selects_from": "2026-03-01T00:00:00+08:00",
            "selects_until": "2026-03-16T00:00:00+08:00",
            "due_on": "2026-03-31",
            **changes,
        }
        made: dict[str, Any] = self.call("plan_period", wanted, self.keeper(place))
        return made

    def offer(self, period: dict[str, Any], *courses: dict[str, Any], **details: Any) -> list[dict[str, Any]]:
        wanted = [{"course_id": course["course_id"], **details} for course in courses]
        arguments = {"period_id": period["period_id"], "offerings": wanted}
        items: list[dict[str, Any]] = self.call("add_offerings", arguments, self.keeper(period["place"]))["items"]
        return items

    def publish(self, period: dict[str, Any]) -> dict[str, Any]:
        return self.advance(period, "publish_period")

    def advance(self, period: dict[str, Any], method: str) -> dict[str, Any]:
        key = {"period_id": period["period_id"], "version": period["version"]}
        moved: dict[str, Any] = self.call(method, key, self.keeper(period["place"]))
        return moved

    def present(self, period: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.call(
            "get_kept_period", {"period_id": period["period_id"]}, self.keeper(period["place"])
        )
        return shown

    def tick(self) -> None:
        self.component.service.move_due_periods(clock.now())

    def told(self, event_type: str, key: str, value: str) -> list[dict[str, Any]]:
        return [payload for payload in self.component.outbox(event_type) if payload[key] == value]

    def told_period(self, period: dict[str, Any]) -> list[dict[str, Any]]:
        return self.told(contract.periods.PERIOD_CHANGED, "period_id", period["period_id"])

    def told_offering(self, offering: dict[str, Any]) -> list[dict[str, Any]]:
        return self.told(contract.periods.OFFERING_CHANGED, "offering_id", offering["offering_id"])

    def audited(self, subject: str) -> list[Any]:
        with self.component.database.work() as db:
            rows = db.execute(
                sa.text("SELECT action, actor, before, after, reason FROM audit WHERE subject = :subject ORDER BY id"),
                {"subject": uuid.UUID(subject)},
            )
            return list(rows)


@pytest.fixture
def ground(component: Callable[..., Component], fixed_clock: FixedClock) -> Iterator[Ground]:
    fixed_clock.instant = clock.parse_instant("2026-01-10T10:00:00+08:00")
    return Ground(component(CatalogService), fixed_clock)
