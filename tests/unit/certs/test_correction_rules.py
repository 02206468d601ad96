"""Who may decide on a correction, and until when."""

import datetime as dt
import uuid

import pytest

from services.certs.contract import CorrectionState
from services.certs.corrections import rules
from services.shared.errors import Conflict, NotAllowed

NOW = dt.datetime(2023, 3, 1, tzinfo=dt.UTC)
ONE, OTHER = uuid.uuid4(), uuid.uuid4()
MOMENT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize("state", [state for state in CorrectionState if state is not CorrectionState.PROPOSED])
def test_what_is_settled_stays_so(state):
    with pytest.raises(Conflict) as refused:
        rules.require_open(state, NOW, NOW)
    lapsed = state is CorrectionState.LAPSED
    assert refused.value.code == ("certs.correction_lapsed" if lapsed else "certs.correction_settled")


def test_a_proposal_lives_for_thirty_days_and_not_a_moment_longer():
    last = NOW + rules.PROPOSAL_LIVES - MOMENT
    rules.require_open(CorrectionState.PROPOSED, NOW, last)
    with pytest.raises(Conflict, match="correction_lapsed"):
        rules.require_open(CorrectionState.PROPOSED, NOW, last + MOMENT)
    assert rules.shown_state(CorrectionState.APPROVED, NOW, last + MOMENT) is CorrectionState.APPROVED


def test_nobody_decides_alone_nor_about_himself():
    rules.require_second_person(ONE, OTHER)
    rules.require_not_own(ONE, {OTHER})
    with pytest.raises(NotAllowed, match="second_person_needed"):
        rules.require_second_person(ONE, ONE)
    with pytest.raises(NotAllowed, match="own_certificate"):
        rules.require_not_own(ONE, {OTHER, ONE})
