"""Policies: who is admitted, whom a scope reaches, and that a forgotten target is never answered."""

from __future__ import annotations

import time
import uuid

import pytest

from services.shared.actor import ANONYMOUS, Role, service_actor
from services.shared.bus.calls import Call, TargetNotAuthorisedError
from services.shared.errors import NotAllowed, NotFound
from services.shared.policy import Policy, anyone, granted, own, service, signed_in
from tests.conftest import person

SCHOOL = "CN/44/4401/440103/s1"
ADMIN = person(None, (Role.SCHOOL_ADMIN, SCHOOL))
COUNTY_ADMIN = person(None, (Role.COUNTY_ADMIN, "CN/44/4401/440103"))
TEACHER = person()


def call(policy: Policy, actor: object) -> Call:
    return Call("org", "verify", {}, actor, policy, time.monotonic() + 5)  # type: ignore[arg-type]


def test_a_visitor_is_told_to_sign_in() -> None:
    with pytest.raises(NotAllowed, match=r"shared\.sign_in_first"):
        signed_in().admit(ANONYMOUS)
    anyone().admit(ANONYMOUS)


def test_the_wrong_role_is_refused_whatever_the_target() -> None:
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        granted(Role.SCHOOL_ADMIN).admit(TEACHER)
    granted(Role.SCHOOL_ADMIN).admit(ADMIN)


def test_a_service_is_admitted_only_where_it_is_named() -> None:
    service("certs").admit(service_actor("certs"))
    with pytest.raises(NotAllowed):
        service("certs").admit(service_actor("credits"))
    with pytest.raises(NotAllowed):
        (signed_in() | granted(Role.SCHOOL_ADMIN)).admit(service_actor("certs"))


@pytest.mark.parametrize(
    ("actor", "place", "reached"),
    [
        (ADMIN, SCHOOL, True),
        (ADMIN, "CN/44/4401/440103/s2", False),
        (COUNTY_ADMIN, SCHOOL, False),  # it covers the place, but holds another role than the policy names
        (TEACHER, SCHOOL, False),
    ],
)
def test_a_scope_reaches_its_own_territory_only(actor: object, place: str, reached: bool) -> None:
    asked = call(granted(Role.SCHOOL_ADMIN), actor)
    if reached:
        asked.authorise(place=place)
    else:
        with pytest.raises(NotFound, match=r"org\.unknown"):
            asked.authorise(place=place, missing="org.unknown")


def test_own_means_the_same_account() -> None:
    assert TEACHER.account_id is not None
    call(own(), TEACHER).authorise(subject=TEACHER.account_id)
    with pytest.raises(NotFound):
        call(own(), TEACHER).authorise(subject=uuid.uuid4())


def test_a_method_that_forgets_its_target_gets_no_answer() -> None:
    with pytest.raises(TargetNotAuthorisedError):
        call(own(), TEACHER).require_authorised()
    with pytest.raises(TargetNotAuthorisedError):
        call(granted(Role.SCHOOL_ADMIN), ADMIN).require_authorised()
    call(signed_in(), TEACHER).require_authorised()
