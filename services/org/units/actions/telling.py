"""One version further: what every change of a school leaves behind."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from services.org.contract.units import SCHOOL_CHANGED
from services.org.models import School, SchoolContact
from services.org.units import queries
from services.shared import audit, clock, outbox
from services.shared.bus import Call

Values = dict[str, Any]


def tell_change(db: Session, call: Call, school: School, before: Values, after: Values, reason: str = "") -> None:
    """Announce the school as it is now, and record what changed (states and public facts, nothing of its people)."""
    school.version += 1
    school.changed_at = call.now
    db.flush()
    outbox.announce(db, SCHOOL_CHANGED, school.school_id, payload_of(school, queries.get_contact(db, school.school_id)))
    audit.record(
        db,
        call,
        subject=school.school_id,
        place=school.place,
        reason=reason,
        before=before,
        after={**after, "version": school.version},
    )


def payload_of(school: School, contact: SchoolContact | None) -> Values:
    """The school as `org.school_changed` tells it."""
    facts = (
        "version",
        "name",
        "place",
        "division_code",
        "code",
        "kind",
        "attachment",
        "school_type",
        "nature",
        "state",
    )
    return {
        "school_id": str(school.school_id),
        **{name: getattr(school, name) for name in facts},
        "seal_name": contact.seal_name if contact else school.name,
        "merged_into": str(school.merged_into) if school.merged_into else None,
        "effective_at": clock.format_instant(school.changed_at),
    }
