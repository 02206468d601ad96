"""What the tests of the person's record begin with."""

from __future__ import annotations

import dataclasses

import pytest

from services.shared.actor import Role
from tests.component.identity.stories import administrator, new_id_no


@pytest.fixture
def elevated(people):
    """`elevated(actor)`: the same person with a fresh SMS code."""

    def elevate(actor):
        return dataclasses.replace(actor, elevated_until=people.clock.instant.replace(year=2030))

    return elevate


@pytest.fixture
def agents(elevated):
    """Two of support, both with a fresh code."""
    return [elevated(administrator(Role.SUPPORT_AGENT, "CN")) for _ in range(2)]


@pytest.fixture
def a_teacher(people):
    """`a_teacher(place="CN/…", name=…)`: (actor, phone, ID number) of a teacher, verified where a place is given."""

    def make(place="", **profile):
        id_no = profile.pop("id_no", None) or new_id_no()
        actor, phone = people.register()
        people.fill_profile(actor, id_no=id_no, **profile)
        if place:
            people.place(actor, place, state="VERIFIED")
        return actor, phone, id_no

    return make
