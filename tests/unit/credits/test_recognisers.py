"""The four levels that recognise hours, by the place of whoever did."""

import pytest

from services.credits.contract.recognisers import NAMES, Recogniser, recogniser_at


@pytest.mark.parametrize(
    ("place", "level"),
    [
        ("CN/450000", Recogniser.PROVINCE),
        ("CN/450000/450100", Recogniser.CITY),
        ("CN/450000/450100/450103", Recogniser.COUNTY),
        ("CN/450000/450100/450103/s1", Recogniser.SCHOOL),
        ("CN/420000/429004", Recogniser.COUNTY),  # directly below its province
        ("CN/440000/440100/s0191f2b45d6e7a3b8c1d2e3f4a5b6c7d", Recogniser.SCHOOL),  # of the city itself
        ("CN/440000/123456789012", Recogniser.SCHOOL),
        ("CN", None),
        ("", None),
    ],
)
def test_the_level_is_that_of_the_divisions_code(place, level):
    assert recogniser_at(place) is level


def test_every_level_has_its_two_names():
    assert set(NAMES) == set(Recogniser)
    assert [zh for zh, _ in NAMES.values()] == ["校级", "县级", "市级", "省（自治区）级"]
