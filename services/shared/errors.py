"""The six kinds of refusal. The reason is a code from the owner's contract, never a new subclass.

The gateway turns a kind into a status once (`gateway/errors.py`); everything else is a defect (500).
"""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """A refusal that the caller may see.

    `code` is stable ("org.school_closed"), `field` the dotted path of the argument at fault or "", `detail` plain
    English for logs and developers: never personal data. All three are text and all reach `Exception.args`, so the
    error survives the bus unchanged.
    """

    kind: ClassVar[str] = ""

    def __init__(self, code: str, field: str = "", detail: str = "") -> None:
        super().__init__(code, field, detail)
        self.code = code
        self.field = field
        self.detail = detail


class InvalidInput(ServiceError):
    """The request is malformed or breaks a rule of form (400; 422 for an idempotency key with another body)."""

    kind = "invalid_input"


class NotFound(ServiceError):
    """It does not exist, or the caller may not know that it does (404)."""

    kind = "not_found"


class NotAllowed(ServiceError):
    """The caller is nobody yet (401), or lacks the role whatever the target (403)."""

    kind = "not_allowed"


class Conflict(ServiceError):
    """The request is well formed but the state of things refuses it (409)."""

    kind = "conflict"


class LimitReached(ServiceError):
    """Too many, too often (429)."""

    kind = "limit_reached"


class Unavailable(ServiceError):
    """We cannot answer now; trying again may help (503; 504 for a deadline)."""

    kind = "unavailable"


KINDS: dict[str, type[ServiceError]] = {
    error.kind: error for error in (InvalidInput, NotFound, NotAllowed, Conflict, LimitReached, Unavailable)
}


def to_wire(error: ServiceError) -> dict[str, str]:
    return {"kind": error.kind, "code": error.code, "field": error.field, "detail": error.detail}


def from_wire(body: dict[str, str]) -> ServiceError:
    """Rebuild an error that crossed the bus; an unknown kind (a newer peer's) becomes Unavailable."""
    kind = KINDS.get(body.get("kind", ""), Unavailable)
    return kind(str(body.get("code", "shared.unknown")), str(body.get("field", "")), str(body.get("detail", "")))
