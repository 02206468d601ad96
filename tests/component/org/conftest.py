"""Org over its real database, with the real divisions, and the people that the tests speak of."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.identity import contract as identity
from services.org.service import OrgService
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Unavailable
from services.shared.ids import new_id

YUEXIU = "CN/440000/440100/440104"  # a district of Guangzhou
HAIZHU = "CN/440000/440100/440105"
GUANGZHOU = "CN/440000/440100"
GUANGDONG = "CN/440000"
CLI = service_actor("cli")


@dataclasses.dataclass
class Org:
    """The service and short words for what most tests need first."""

    component: Any
    person: Callable[..., Actor]
    billing: FakeBilling

    def call(self, method: str, arguments: dict[str, Any] | None = None, actor: Actor = CLI, **options: Any) -> Any:
        return self.component.call(method, arguments, actor, **options)

    def account(self, *, named: bool = True) -> uuid.UUID:
        """Somebody of whom identity has told."""
        account_id = new_id()
        registered = {"account_id": str(account_id), "version": 1, "identity": "TEACHER"}
        self.component.deliver("on_account_registered", identity.ACCOUNT_REGISTERED, registered)
        if named:
            profile = {"version": 2, "complete": False, "named": True, "segment": "", "subject": ""}
            self.component.deliver("on_profile_changed", identity.PROFILE_CHANGED, {**registered, **profile})
        return account_id

    def holder(self, role: Role, place: str) -> Actor:
        """Somebody who really holds this role there, and says so in the token."""
        account_id = new_id()
        self.call("bootstrap_grant", {"account_id": str(account_id), "role": role, "place": place})
        return self.person(account_id, (role, place))

    def school(self, division_code: str = "440104", **changes: Any) -> dict[str, Any]:
        """A new school under that division, created by whoever keeps it."""
        parent = self.call("get_division", {"code": division_code})
        role = {"PROVINCE": Role.PROVINCE_ADMIN, "CITY": Role.CITY_ADMIN, "COUNTY": Role.COUNTY_ADMIN}[parent["level"]]
        keeper = self.person(None, (role, parent["place"]))
        return self.call("create_school", new_school(division_code, **changes), keeper)

    def member(
        self,
        school: dict[str, Any],
        state: str = "PENDING",
        admin: Actor | None = None,
        account_id: uuid.UUID | None = None,
    ) -> Actor:
        teacher = self.person(account_id)
        self.call("choose_school", {"school_id": school["school_id"]}, teacher)
        if state == "VERIFIED":
            self.call("verify_membership", {"teacher_id": str(teacher.account_id)}, admin or self.admin_of(school))
        return teacher

    def admin_of(self, school: dict[str, Any]) -> Actor:
        """A token of the school's admin; memberships need no row of the grant."""
        return self.person(None, (Role.SCHOOL_ADMIN, school["place"]))

    def announced(self, event_type: str, **facts: Any) -> list[dict[str, Any]]:
        """Payloads of that type with these facts, oldest first."""
        payloads = self.component.outbox(event_type)
        return [payload for payload in payloads if all(payload[name] == value for name, value in facts.items())]


def new_school(division_code: str = "440104", **changes: Any) -> dict[str, Any]:
    return {
        "division_code": division_code,
        "name": f"测试小学{uuid.uuid4().hex[:8]}",
        "school_type": "PRIMARY",
        "seal_name": "测试小学",
        "town": "测试街道",
        "nature": "PUBLIC",
        "head_name": "测试校长",
        "head_mobile": "13800000000",
        **changes,
    }


class FakeBilling:
    """Billing as org asks it: what holds whom, until it is away."""

    def __init__(self) -> None:
        self.holds: dict[str, list[dict[str, Any]]] = {}
        self.down = False

    def hold(self, teacher_id: uuid.UUID | None, kind: str, *blocks: str) -> None:
        held = {"teacher_id": str(teacher_id), "kind": kind, "occurrence": 1, "blocks": list(blocks or ("TRANSFER",))}
        self.holds.setdefault(str(teacher_id), []).append(held)

    def lift(self, teacher_id: uuid.UUID | None) -> None:
        del self.holds[str(teacher_id)]

    def call(self, service: str, method: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.down:
            raise Unavailable("shared.no_answer")
        assert (service, method) == ("billing", "find_holds")
        return {"holds": [held for each in arguments["teacher_ids"] for held in self.holds.get(each, [])]}


@pytest.fixture
def org(component: Callable[..., Any], a_person: Callable[..., Actor]) -> Org:
    billing = FakeBilling()
    org = Org(component(OrgService, bus=billing), a_person, billing)
    org.call("import_divisions", command_id="divisions-of-this-run")
    return org
