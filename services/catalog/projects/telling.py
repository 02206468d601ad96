"""Training projects as events tell them: whole, each time."""

from __future__ import annotations

from typing import Any

from services.catalog.projects.models import TrainingProject
from services.shared import clock


def project_payload(project: TrainingProject, institution_name: str) -> dict[str, Any]:
    return {
        "project_id": str(project.project_id),
        "version": project.version,
        "place_id": project.place,
        "shown_at": project.shown_at,
        **{
            name: str(getattr(project, name))
            for name in (
                "title", "level", "project_type", "course_type", "funding", "hour_type", "unit", "subject", "venue",
                "institution_unit_id", "institution_place", "conditions", "summary", "state",
            )
        },
        "institution_name": institution_name,
        "amount": f"{project.amount:.2f}",
        "starts_on": project.starts_on.isoformat(),
        "ends_on": project.ends_on.isoformat(),
        "applies_from": clock.format_instant(project.applies_from),
        "applies_until": clock.format_instant(project.applies_until),
        "capacity": project.capacity,
        "audience": project.audience,
    }  # fmt: skip
