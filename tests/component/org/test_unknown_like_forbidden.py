"""What is out of reach answers as if it did not exist: the same code, and the same field named."""

from __future__ import annotations

from typing import Any

import pytest

from services.shared.actor import Actor, Role
from services.shared.errors import NotFound
from services.shared.ids import new_id
from tests.component.org.conftest import HAIZHU, YUEXIU, Org, new_school

REASON = {"reason": "无"}
POLICY = {"mode": "GATED", "max_school_admins": 1, "profile_review": "NONE", **REASON}
AT_SCHOOL: dict[str, tuple[Role, dict[str, Any]]] = {
    "get_school_desk": (Role.SCHOOL_ADMIN, {}),
    "list_reviews": (Role.SCHOOL_ADMIN, {}),
    "list_memberships": (Role.SCHOOL_ADMIN, {}),
    "request_transfer": (Role.SCHOOL_ADMIN, {"learner_no": "1234567890128"}),
    "preview_transfer": (Role.SCHOOL_ADMIN, {"learner_no": "1234567890128"}),
    "edit_school": (Role.COUNTY_ADMIN, {"version": 1, "town": "东山街道"}),
    "suspend_school": (Role.COUNTY_ADMIN, {"version": 1, **REASON}),
    "get_school_history": (Role.COUNTY_ADMIN, {}),
}
AT_PLACE: dict[str, tuple[Role, dict[str, Any]]] = {
    "generate_authority_code": (Role.COUNTY_ADMIN, {"role": "SCHOOL_ADMIN"}),
    "grant_role": (Role.COUNTY_ADMIN, {"role": "SCHOOL_ADMIN", "account_id": str(new_id())}),
    "list_unit_administrators": (Role.COUNTY_ADMIN, {}),
    "get_staff_counts": (Role.COUNTY_ADMIN, {}),
    "list_teachers": (Role.COUNTY_ADMIN, {}),
    "set_tenant_policy": (Role.SUPER_ADMIN, POLICY),
    "withdraw_tenant_policy": (Role.SUPER_ADMIN, REASON),
}


def answer(org: Org, method: str, arguments: dict[str, Any], actor: Actor) -> tuple[str, str]:
    with pytest.raises(NotFound) as refused:
        org.call(method, arguments, actor)
    return refused.value.code, refused.value.field


@pytest.mark.parametrize("method", AT_SCHOOL)
def test_a_school_out_of_reach(org: Org, method: str) -> None:
    own, foreign = org.school("440105"), org.school()
    role, more = AT_SCHOOL[method]
    actor = org.holder(role, own["place"] if role is Role.SCHOOL_ADMIN else HAIZHU)
    forbidden = answer(org, method, {"school_id": foreign["school_id"], **more}, actor)
    assert forbidden == answer(org, method, {"school_id": str(new_id()), **more}, actor)


@pytest.mark.parametrize("method", AT_PLACE)
def test_a_place_out_of_reach(org: Org, method: str) -> None:
    foreign, unknown = org.school()["place"], f"{YUEXIU}/s{new_id().hex}"
    role, more = AT_PLACE[method]
    actor = org.holder(role, HAIZHU)
    forbidden = answer(org, method, {"place": foreign, **more}, actor)
    assert forbidden == answer(org, method, {"place": unknown, **more}, actor)


def test_a_division_out_of_reach(org: Org) -> None:
    actor = org.holder(Role.COUNTY_ADMIN, HAIZHU)
    foreign = answer(org, "create_school", new_school("440104"), actor)
    assert foreign == answer(org, "create_school", new_school("449999"), actor)
