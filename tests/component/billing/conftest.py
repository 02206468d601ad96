"""Billing over its real database, with the people and schools that org and identity tell it of."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.billing.contract.bills import CHARGE_CHANGED
from services.billing.service import BillingService
from services.catalog.contract import periods as catalog
from services.identity.contract import person as identity
from services.learning.contract import selection as selling
from services.org import contract as org
from services.org.contract.units import SCHOOL_CHANGED
from services.shared import clock
from services.shared.actor import Actor, Role, service_actor
from services.shared.ids import new_id

GUANGZHOU = "CN/440000/440100"
YUEXIU = "CN/440000/440100/440104"  # a district of Guangzhou
HAIZHU = "CN/440000/440100/440105"
CLI = service_actor("cli")


@dataclasses.dataclass
class Billing:
    """The service and short words for what most tests need first."""

    component: Any
    person: Callable[..., Actor]

    def call(self, method: str, arguments: dict[str, Any] | None = None, actor: Actor = CLI, **options: Any) -> Any:
        return self.component.call(method, arguments, actor, **options)

    def school(self, division: str = YUEXIU) -> dict[str, Any]:
        """A school that nobody has told of yet but through its teachers."""
        school_id = new_id()
        return {"school_id": str(school_id), "place": f"{division}/s{school_id.hex}", "name": "测试小学"}

    def unit(self, school: dict[str, Any], seal_name: str = "测试小学（公章）") -> dict[str, Any]:
        """Let org tell of a school or institution, by the name on its seal."""
        payload = {
            "school_id": school["school_id"],
            "version": 1,
            "name": school["name"],
            "seal_name": seal_name,
            "place": school["place"],
            "division_code": "440104",
            "code": None,
            "kind": "BASIC_EDUCATION",
            "attachment": "COUNTY",
            "school_type": "PRIMARY",
            "nature": "PUBLIC",
            "state": "ACTIVE",
            "merged_into": None,
            "effective_at": "2022-09-01T00:00:00Z",
        }
        self.component.deliver("on_school_changed", SCHOOL_CHANGED, payload)
        return school

    def admin_of(self, school: dict[str, Any]) -> Actor:
        return self.person(None, (Role.SCHOOL_ADMIN, school["place"]))

    def teacher(self, school: dict[str, Any] | None = None, account_id: uuid.UUID | None = None) -> Actor:
        """A verified teacher of that school, or of a new one in Yuexiu."""
        school = school or self.school()
        teacher = self.person(account_id)
        self.place(teacher, school)
        return teacher

    def place(self, teacher: Actor, school: dict[str, Any], version: int = 1) -> None:
        payload = {
            "teacher_id": str(teacher.account_id),
            "version": version,
            "state": "VERIFIED",
            "school_id": school["school_id"],
            "school_name": school["name"],
            "place": school["place"],
            "effective_at": "2022-09-01T00:00:00Z",
        }
        self.component.deliver("on_membership_changed", org.MEMBERSHIP_CHANGED, payload)

    def number(self, teacher: Actor) -> str:
        """Give a teacher a learner number, as identity tells it."""
        learner_no = f"9{uuid.uuid4().int % 10**12:012d}"
        payload = {"account_id": str(teacher.account_id), "version": 1, "learner_no": learner_no}
        self.component.deliver("on_learner_no_issued", identity.LEARNER_NO_ISSUED, payload)
        return learner_no

    def merge(self, merged: Actor, kept: Actor, version: int = 1, *, live: bool = True) -> None:
        method, event = (
            ("on_persons_merged", identity.PERSONS_MERGED) if live else ("on_merge_undone", identity.MERGE_UNDONE)
        )
        payload = {"merged_id": str(merged.account_id), "kept_id": str(kept.account_id), "version": version}
        self.component.deliver(method, event, payload)

    def announced(self, event_type: str, **facts: Any) -> list[dict[str, Any]]:
        """Payloads of that type with these facts, oldest first."""
        payloads = self.component.outbox(event_type)
        return [payload for payload in payloads if all(payload[name] == value for name, value in facts.items())]


@dataclasses.dataclass
class Sold:
    """A period whose courses were chosen, as catalog and learning tell of it."""

    billing: Billing
    tier: str = "CITY"
    place_: str = GUANGZHOU
    due_on: str = "2023-02-28"

    def __post_init__(self) -> None:
        self.period_id = str(new_id())
        self.payee = self.billing.unit(self.billing.school(GUANGZHOU), "广播电视大学")
        self.choices: dict[str, dict[str, Any]] = {}
        self.prices: dict[str, tuple[str, str]] = {}
        self.tell_period(1)

    def tell_period(self, version: int, **changes: Any) -> None:
        payload = {
            "period_id": self.period_id,
            "version": version,
            "code": "2023-1",
            "title": "2023年上半年",
            "tier": self.tier,
            "place_id": self.place_,
            "year": 2023,
            "state": "CLOSED",
            "selects_from": "2022-12-31T16:00:00Z",
            "selects_until": "2023-01-09T16:00:00Z",
            "due_on": self.due_on,
            **changes,
        }
        self.billing.component.deliver("on_period_changed", catalog.PERIOD_CHANGED, payload)

    def offer(self, fee: str = "100.00", material: str = "0.00", *, public: bool = False, **changes: Any) -> str:
        offering_id = str(new_id())
        payload = {
            "offering_id": offering_id,
            "version": 1,
            "period_id": self.period_id,
            "tier": self.tier,
            "place_id": self.place_,
            "course_id": str(new_id()),
            "course_no": f"C{len(self.prices):03d}",
            "title": f"课程{len(self.prices)}",
            "hour_type": "PUBLIC" if public else "PROFESSIONAL",
            "course_type": "REMOTE",
            "hours": "18.00",
            "fee": fee,
            "material_fee": material,
            "public_course": public,
            "applicant_unit_id": self.payee["school_id"],
            "applicant_place": self.payee["place"],
            "charging_unit_id": self.payee["school_id"],
            "charging_place": self.payee["place"],
            "capacity": None,
            "audience": {"segments": [], "subjects": [], "place_ids": [], "school_ids": []},
            "capability": False,
            "capability_class": None,
            "state": "OPEN",
            **changes,
        }
        self.prices[offering_id] = (fee, material)
        self.billing.component.deliver("on_offering_changed", catalog.OFFERING_CHANGED, payload)
        return offering_id

    def choose(self, teacher: Actor, school: dict[str, Any], offering_id: str, state: str = "CHOSEN") -> str:
        choice_id = str(new_id())
        self.choices[choice_id] = {
            "choice_id": choice_id,
            "version": 0,
            "teacher_id": str(teacher.account_id),
            "school_id": school["school_id"],
            "place": school["place"],
            "offering_id": offering_id,
            "period_id": self.period_id,
            "state": state,
            "chosen_by": "SELF",
            "at": "2023-01-05T02:00:00Z",
        }
        self.tell(choice_id, state)
        return choice_id

    def tell(self, choice_id: str, state: str) -> None:
        choice = self.choices[choice_id]
        choice |= {"state": state, "version": choice["version"] + 1}
        self.billing.component.deliver("on_choice_changed", selling.CHOICE_CHANGED, choice)

    def close(self, **changes: Any) -> None:
        standing = [choice for choice in self.choices.values() if choice["state"] == "CHOSEN"]
        versions = sum(choice["version"] for choice in self.choices.values())
        payload = {"period_id": self.period_id, "choices": len(standing), "versions": versions, **changes}
        self.billing.component.deliver("on_selection_closed", selling.SELECTION_CLOSED, payload)

    def make_bills(self) -> list[dict[str, Any]]:
        """Run the job and return the period's bills, as its keeper sees them."""
        self.billing.component.service.make_bills(clock.now())
        wanted = {"place": self.place_, "period_id": self.period_id, "limit": 200}
        return self.billing.call("list_bills", wanted, self.keeper)["items"]

    def bill(self) -> dict[str, Any]:
        """Close the period and return its only bill."""
        self.close()
        [bill] = self.make_bills()
        return bill

    def look(self, bill: dict[str, Any]) -> dict[str, Any]:
        return self.billing.call("get_bill", {"bill_id": bill["bill_id"]}, self.keeper)

    @property
    def keeper(self) -> Actor:
        role = Role.CITY_CENTRE if self.tier == "CITY" else Role.DISTRICT_INSTITUTION
        return self.billing.person(None, (role, self.place_))

    def pay(self, bill: dict[str, Any], amount: str, **changes: Any) -> dict[str, Any]:
        body = {
            "bill_id": bill["bill_id"],
            "amount": amount,
            "receipt_no": f"R{uuid.uuid4().hex[:12]}",
            "paid_on": "2023-01-10",
            **changes,
        }
        return self.billing.call("register_payment", body, self.keeper)

    def charges(self) -> dict[str, str]:
        """What was told last of each choice."""
        told = self.billing.announced(CHARGE_CHANGED, period_id=self.period_id)
        return {payload["choice_id"]: payload["state"] for payload in told}


@pytest.fixture
def billing(component: Callable[..., Any], a_person: Callable[..., Actor]) -> Billing:
    return Billing(component(BillingService), a_person)
