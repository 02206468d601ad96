"""Refusals that leave a trace, and refusals of form."""

from __future__ import annotations

from typing import Any

from services.identity.rules.contact import is_mainland_mobile, normalised_phone
from services.shared.errors import InvalidInput, ServiceError, from_wire, to_wire

REFUSAL = "refusal"


def refused(error: ServiceError) -> dict[str, Any]:
    """The refusal as a value, so that the transaction commits."""
    return {REFUSAL: to_wire(error)}


def accepted(outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome of an action after its commit. Raises the refusal that it holds."""
    if REFUSAL in outcome:
        raise from_wire(outcome[REFUSAL])
    return outcome


def require(problem: str, field: str) -> None:
    """Raise InvalidInput for a rule's problem code; "" passes."""
    if problem:
        raise InvalidInput(problem, field)


def checked_phone(text: str, field: str = "phone") -> str:
    """The eleven digits of a typed phone. Raises InvalidInput for anything but a mainland mobile."""
    phone = normalised_phone(text)
    if not is_mainland_mobile(phone):
        raise InvalidInput("identity.phone_form", field)
    return phone
