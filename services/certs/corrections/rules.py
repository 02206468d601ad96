"""Pure rules of corrections; standard library only."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from services.certs.contract import CorrectionState
from services.shared.errors import Conflict, NotAllowed

# Ours: what nobody decided on for a month is asked anew, by somebody who has looked again.
PROPOSAL_LIVES = dt.timedelta(days=30)


def require_open(state: CorrectionState, proposed_at: dt.datetime, now: dt.datetime) -> None:
    """Raises Conflict: "certs.correction_settled", "certs.correction_lapsed"."""
    shown = shown_state(state, proposed_at, now)
    if shown is CorrectionState.LAPSED:
        raise Conflict("certs.correction_lapsed")
    if shown is not CorrectionState.PROPOSED:
        raise Conflict("certs.correction_settled")


def shown_state(state: CorrectionState, proposed_at: dt.datetime, now: dt.datetime) -> CorrectionState:
    """LAPSED as soon as it is, whether or not anybody wrote that down."""
    if state is CorrectionState.PROPOSED and now - proposed_at >= PROPOSAL_LIVES:
        return CorrectionState.LAPSED
    return state


def require_second_person(actor: uuid.UUID | None, proposed_by: uuid.UUID) -> None:
    """Two persons correct (`domain.md` §1.2). Raises NotAllowed("certs.second_person_needed")."""
    if actor == proposed_by:
        raise NotAllowed("certs.second_person_needed")


def require_not_own(actor: uuid.UUID | None, holders: Collection[uuid.UUID]) -> None:
    """Nobody decides about a certificate of his own (`domain.md` §1.2). Raises NotAllowed("certs.own_certificate")."""
    if actor in holders:
        raise NotAllowed("certs.own_certificate")
