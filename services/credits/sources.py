"""The names of what brings an amount into the ledger: part of the natural key, so one source counts once."""

from __future__ import annotations

import uuid

_CONVERSION = "conversion:"


def declaration_ref(declaration_id: uuid.UUID) -> str:
    return f"declaration:{declaration_id}"


def course_ref(choice_id: uuid.UUID) -> str:
    return f"course:{choice_id}"


def training_ref(application_id: uuid.UUID) -> str:
    return f"training:{application_id}"


def conversion_ref(source_ref: str) -> str:
    """The source of what another source's amount was converted into."""
    return _CONVERSION + source_ref


def is_conversion(source_ref: str) -> bool:
    return source_ref.startswith(_CONVERSION)
