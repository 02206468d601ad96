"""Archive and restore (`domain.md` §3.4): every status against every wanted one, and what stands in the way."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from services.org.contract import MembershipState
from services.org.contract.staffing import Employment
from services.org.staffing.rules import employment
from services.shared.errors import Conflict, InvalidInput

# 在职, and the seven ways of being archived: written out from the document.
ON_DUTY = "ON_DUTY"
AWAY = {"LEFT", "RETIRED", "SECONDED", "SICK_LEAVE", "MATERNITY_LEAVE", "ABROAD", "DECEASED"}


@pytest.mark.parametrize(("status", "wanted"), list(itertools.product(Employment, Employment)))
def test_only_whoever_is_on_duty_is_archived_and_only_as_something_else(status: Employment, wanted: Employment) -> None:
    if wanted == ON_DUTY:
        with pytest.raises(InvalidInput, match=r"org\.archive_type"):
            employment.archived(status, wanted)
    elif status == ON_DUTY:
        assert employment.archived(status, wanted) == wanted
    else:
        with pytest.raises(Conflict, match=r"org\.archived_already"):
            employment.archived(status, wanted)


@pytest.mark.parametrize("status", Employment)
def test_whoever_is_archived_comes_back_on_duty(status: Employment) -> None:
    if status in AWAY:
        assert employment.restored(status) == ON_DUTY
        return
    with pytest.raises(Conflict, match=r"org\.not_archived"):
        employment.restored(status)


@pytest.mark.parametrize("state", MembershipState)
def test_a_school_archives_whom_it_has_verified(state: MembershipState) -> None:
    if state == "VERIFIED":
        employment.require_own_teacher(state)
        return
    with pytest.raises(Conflict, match=r"org\.not_verified"):
        employment.require_own_teacher(state)


@pytest.mark.parametrize("wanted", sorted(AWAY))
def test_whoever_leaves_for_good_gives_back_the_keys_first(wanted: str) -> None:
    employment.require_no_grants(Employment(wanted), 0)
    if wanted in {"LEFT", "RETIRED", "DECEASED"}:
        with pytest.raises(Conflict, match=r"org\.ends_grants_first"):
            employment.require_no_grants(Employment(wanted), 1)
    else:
        employment.require_no_grants(Employment(wanted), 1)


def test_an_archived_arrival_is_one_whose_status_is_older_than_the_stay() -> None:
    came = dt.datetime(2023, 1, 10, tzinfo=dt.UTC)
    before, after = came - dt.timedelta(seconds=1), came + dt.timedelta(seconds=1)
    assert employment.arrived_archived(Employment.LEFT, before, came)
    assert not employment.arrived_archived(Employment.LEFT, after, came)  # archived by the new school itself
    assert not employment.arrived_archived(Employment.LEFT, came, came)
    assert not employment.arrived_archived(Employment.ON_DUTY, before, came)


def test_days_of_waiting_are_whole_and_never_negative() -> None:
    day = dt.date(2023, 1, 10)
    assert [employment.days_waiting(day, day + dt.timedelta(days=days)) for days in (-1, 0, 1, 40)] == [0, 0, 1, 40]
