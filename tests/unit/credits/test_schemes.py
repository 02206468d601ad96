"""Which pack judges whose years."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml

from services.credits import schemes
from services.shared.yaml_files import YamlError


def test_the_nearest_place_and_the_year_decide():
    guangxi = schemes.find_scheme("CN/450000/450100/450103/s1", 2023)
    assert (guangxi.pack.pack_id, list(guangxi.cycle_of(2023))) == ("guangxi-2016", [2021, 2022, 2023, 2024, 2025])
    assert schemes.find_scheme("CN/440000/440100/440103/s1", 2023).pack.pack_id == "guangdong-90"
    assert schemes.find_scheme("CN/450000", 2015) is None
    assert schemes.find_scheme("CN/110000/110101", 2023) is None
    assert schemes.find_scheme("CN/4500001", 2023) is None  # no place of that beginning


def test_hours_are_entered_until_the_last_day_where_there_is_one():
    school, last = "CN/440000/440100/440103/s1", dt.date(2023, 12, 31)
    assert not schemes.is_closed_for_entries(school, 2023, last)
    assert schemes.is_closed_for_entries(school, 2023, last + dt.timedelta(days=1))
    assert not schemes.is_closed_for_entries("CN/440000/440300/440303/s1", 2023, dt.date(2024, 1, 20))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda s: s[0].update(pack="guangzhou-sample-72"), "no ACTIVE pack"),
        (lambda s: s[0].update(pack="smartedu-2023-winter"), "no ACTIVE pack"),
        (lambda s: s[0].update(cycles=[[2016, 2020], [2020, 2025]]), "its cycles meet"),
        (lambda s: s[0].update(cycles=[[2020, 2016]]), "one is empty"),
        (lambda s: s.append({**s[0], "id": "again"}), "judge the same years"),
        (lambda s: s[0].update(place="Guangxi"), "place"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path, change, complaint):
    content = yaml.safe_load(schemes.FILE.read_text(encoding="utf-8"))
    change(content["schemes"])
    path = tmp_path / "schemes.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(YamlError, match=complaint):
        schemes.list_schemes(path)
