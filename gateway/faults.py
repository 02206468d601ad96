"""What is wrong with a request, fault by fault: marshmallow's messages as codes and dotted paths."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from services.shared.errors import InvalidInput, ServiceError

if TYPE_CHECKING:
    from gateway.messages import Catalogue

MAX_FAULTS = 50  # a body of a thousand bad rows needs no longer answer
# marshmallow's own texts (`fields.py`, `validate.py`, `schema.py`); first match wins.
CODE_OF_TEXT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (r"Missing data for required field|Field may not be null|Must not be blank", "shared.required"),
        (r"Unknown field", "shared.unknown_field"),
        (
            r"Must be (greater|less)|Must be (between|equal)|Length must be|Shorter than|Longer than",
            "shared.out_of_range",
        ),
        (r"Must be one of|Not a valid choice|Must not be one of", "shared.not_a_choice"),
        (r"Not a valid|Invalid input type|Invalid type|Special numeric", "shared.wrong_type"),
    )
)


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing at fault: where, which code, and the validator's own English text if any."""

    field: str
    code: str
    text: str = ""

    def message(self, texts: Catalogue, language: str) -> str:
        """In English the validator's own words, which are more exact; otherwise the code's text."""
        return self.text if self.text and language == "en" else texts.text(self.code, language, "shared.invalid")


class InvalidRequest(InvalidInput):
    """InvalidInput that stays in the gateway and lists every fault, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("shared.invalid", faults[0].field if faults else "")
        self.faults = faults


def faults_of(error: ServiceError) -> tuple[Fault, ...]:
    """Faults of a refusal; one that names no field has none."""
    if isinstance(error, InvalidRequest):
        return error.faults
    if not error.field:
        return ()
    code = first_code(error.detail) if error.code == "shared.invalid" else error.code
    return (Fault(error.field, code, error.detail if error.code == "shared.invalid" else ""),)


def from_messages(messages: Any) -> InvalidRequest:
    """The refusal for what `ValidationError.messages` (without the location) says."""
    faults = []
    for field, text in _flatten(messages, ()):
        faults.append(Fault(field, first_code(text), text))
        if len(faults) == MAX_FAULTS:
            break
    return InvalidRequest(tuple(faults))


def first_code(text: str) -> str:
    return next((code for pattern, code in CODE_OF_TEXT if pattern.search(text)), "shared.invalid")


def _flatten(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # "_schema" is marshmallow's name for the whole object.
            yield from _flatten(inner, path if key == "_schema" else (*path, str(key)))
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _flatten(inner, path)
    else:
        yield ".".join(path), str(messages)
