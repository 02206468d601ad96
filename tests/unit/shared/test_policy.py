"""Policies: who is admitted, whom a scope reaches, and that a forgotten target is never answered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
import uuid

import pytest

from services.shared import clock
from services.shared.actor import ANONYMOUS, Role, service_actor
from services.shared.bus.calls import Call, TargetNotAuthorisedError
from services.shared.errors import NotAllowed, NotFound
from services.shared.policy import Policy, anyone, granted, own, service, signed_in
from tests.conftest import FixedClock, person

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


NOW = clock.parse_instant("2023-01-10T10:00:00+08:00")
HALF_HOUR = dt.timedelta(minutes=30)


@pytest.mark.parametrize("elevated_until", [None, NOW, NOW - HALF_HOUR])
def test_step_up_refuses_without_a_fresh_code(fixed_clock: FixedClock, elevated_until: dt.datetime | None) -> None:
    actor = dataclasses.replace(ADMIN, elevated_until=elevated_until)
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        granted(Role.SCHOOL_ADMIN).with_step_up().admit(actor)
    granted(Role.SCHOOL_ADMIN).admit(actor)


def test_step_up_admits_until_its_end_and_not_the_wrong_role(fixed_clock: FixedClock) -> None:
    elevated = dataclasses.replace(ADMIN, elevated_until=NOW + HALF_HOUR)
    policy = granted(Role.SCHOOL_ADMIN).with_step_up()
    policy.admit(elevated)
    fixed_clock.instant = NOW + HALF_HOUR
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        policy.admit(elevated)
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        policy.admit(TEACHER)


def test_services_need_no_step_up() -> None:
    (granted(Role.SCHOOL_ADMIN) | service("cli")).with_step_up().admit(service_actor("cli"))


def test_who_waits_for_approval_may_only_what_says_so() -> None:
    waiting = dataclasses.replace(TEACHER, waiting=True)
    signed_in().while_waiting().admit(waiting)
    (own() | own().while_waiting()).admit(waiting)
    anyone().admit(waiting)
    for policy in (signed_in(), own(), signed_in().seeing_everything("why")):
        with pytest.raises(NotAllowed, match=r"identity\.awaiting_approval"):
            policy.admit(waiting)
        policy.admit(TEACHER)
