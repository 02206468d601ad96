"""Pure rules of degree and skills offers: when applications are taken, and what may become of one; no I/O.

APPLIED -> TAKEN_BACK (the teacher), ACCEPTED or REJECTED (the keeper); nothing leads out of those, but who took his back
may apply again.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from services.catalog.contract.further_study import ApplicationState, OfferState
from services.shared.actor import Grant, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed


def require_window(applies_from: dt.datetime, applies_until: dt.datetime) -> None:
    """Raises InvalidInput("catalog.offer_window")."""
    if applies_from >= applies_until:
        raise InvalidInput("catalog.offer_window", "applies_until")


def shown_at(grants: Iterable[Grant], place: str) -> str:
    """The city or district whose teachers an offer kept at `place` is for: an institution's is its region's."""
    is_unit = any(grant.role is Role.TRAINING_INSTITUTION and grant.place == place for grant in grants)
    return place.rpartition("/")[0] if is_unit else place


def require_version(known: int, present: int) -> None:
    """Raises Conflict("catalog.offer_version")."""
    if known != present:
        raise Conflict("catalog.offer_version", "version")


def require_open(state: OfferState) -> None:
    """Raises Conflict("catalog.offer_withdrawn")."""
    if state is not OfferState.OPEN:
        raise Conflict("catalog.offer_withdrawn")


def require_time(applies_from: dt.datetime, applies_until: dt.datetime, now: dt.datetime) -> None:
    """Half-open, as every window. Raises Conflict("catalog.offer_not_open")."""
    if not applies_from <= now < applies_until:
        raise Conflict("catalog.offer_not_open")


def require_new(state: ApplicationState | None) -> None:
    """Raises Conflict("catalog.applied_already") unless there is none, or it was taken back."""
    if state not in (None, ApplicationState.TAKEN_BACK):
        raise Conflict("catalog.applied_already")


def require_unsettled(state: ApplicationState) -> None:
    """Raises Conflict("catalog.application_settled")."""
    if state is not ApplicationState.APPLIED:
        raise Conflict("catalog.application_settled")


def require_another(actor: uuid.UUID | None, teacher_id: uuid.UUID) -> None:
    """Nobody decides about himself (`domain.md` §1.2). Raises NotAllowed("catalog.own_application")."""
    if actor == teacher_id:
        raise NotAllowed("catalog.own_application")
