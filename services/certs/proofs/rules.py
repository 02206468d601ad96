"""Pure rules of proofs: what a study proof and a credit certificate are about; standard library only."""

from __future__ import annotations

import uuid
from typing import Final

from services.certs.rules import Kind

# Names our subjects apart from programmes, so that nobody takes a year's certificate for a season's.
_SUBJECTS: Final = uuid.UUID("6f1c2b1e-9d0f-4c63-8a55-2f6d6d7b8c11")
UNITS: Final = {"HOUR": ("学时", "credit hours"), "CREDIT": ("学分", "credits")}


def season_subject(programme_id: uuid.UUID) -> uuid.UUID:
    """What the study proof of a season is about."""
    return uuid.uuid5(_SUBJECTS, f"season/{programme_id}")


def year_subject(year: int, unit: str) -> uuid.UUID:
    """What the credit certificate of a year is about. A year in another unit, after a move, is another subject."""
    return uuid.uuid5(_SUBJECTS, f"year/{year}/{unit}")


def year_code(year: int, unit: str) -> str:
    return f"{year}/{unit}"


def unit_of(kind: str, code: str) -> tuple[str, str]:
    """(Chinese, English) of what a certificate counts: a credit certificate's code names it, all others count hours."""
    return UNITS[code.rpartition("/")[2]] if kind == Kind.CREDIT else UNITS["HOUR"]
