"""The division tree as it is really loaded."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from services.org.models import Division, School
from services.shared.errors import NotAllowed, NotFound
from tests.component.org.conftest import Org

pytestmark = pytest.mark.postgres


def test_loads_every_division_and_an_other_for_each_that_takes_teachers(org: Org) -> None:
    with org.component.database.work() as db:
        counts = dict(db.execute(sa.select(Division.level, sa.func.count()).group_by(Division.level)).all())
        others = db.scalar(sa.select(sa.func.count()).select_from(School).where(School.other))
    assert counts == {"PROVINCE": 34, "CITY": 333, "COUNTY": 2847}
    # 2,847 counties and the four cities without counties.
    assert others == 2851


def test_a_second_import_changes_nothing_and_is_fast(org: Org) -> None:
    started = time.monotonic()
    reply = org.call("import_divisions")
    assert reply == {"divisions": 3214, "changed": 0, "others_created": 0}
    assert time.monotonic() - started < 2.0


def test_a_changed_division_is_put_right_again(org: Org) -> None:
    with org.component.database.work() as db:
        db.execute(sa.update(Division).where(Division.code == "110101").values(name="旧名"))
    assert org.call("import_divisions")["changed"] == 1
    assert org.call("get_division", {"code": "110101"})["name"] == "东城区"


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("419001", "CN/410000/419001"),  # a county directly under its province
        ("659001", "CN/650000/659001"),  # a city of the Xinjiang corps
        ("110101", "CN/110000/110101"),  # a district of a municipality
        ("441900", "CN/440000/441900"),  # a city without counties
        ("440104", "CN/440000/440100/440104"),
    ],
)
def test_parents_are_stored_not_guessed_from_the_code(org: Org, code: str, place: str) -> None:
    assert org.call("get_division", {"code": code})["place"] == place


def test_a_visitor_may_walk_the_tree(org: Org) -> None:
    provinces = org.component.call("list_divisions", {})["items"]
    assert len(provinces) == 34
    counties = org.component.call("list_divisions", {"parent": "410000"})["items"]
    assert "济源市" in [division["name"] for division in counties]


def test_an_unknown_division_is_not_found(org: Org) -> None:
    with pytest.raises(NotFound, match=r"org\.division_unknown"):
        org.component.call("get_division", {"code": "999999"})


def test_only_the_operators_machine_imports(org: Org) -> None:
    with pytest.raises(NotAllowed):
        org.call("import_divisions", actor=org.person())
