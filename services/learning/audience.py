"""Whether a teacher is in the audience 培训对象 of a programme or an offering. Pure; no I/O."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Protocol


class Standing(Protocol):
    """What of a teacher an audience asks for."""

    @property
    def place(self) -> str: ...
    @property
    def school_id(self) -> uuid.UUID | None: ...
    @property
    def segment(self) -> str: ...
    @property
    def subject(self) -> str: ...


def is_for(audience: Mapping[str, Any], teacher: Standing) -> bool:
    """Every list that is not empty must hold the teacher."""
    regions = audience.get("place_ids") or ()
    return (
        teacher.segment in (audience.get("segments") or (teacher.segment,))
        and teacher.subject in (audience.get("subjects") or (teacher.subject,))
        and str(teacher.school_id) in (audience.get("school_ids") or (str(teacher.school_id),))
        and (not regions or any(f"{teacher.place}/".startswith(f"{region}/") for region in regions))
    )
