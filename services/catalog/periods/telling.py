"""Periods and offerings as events tell them: whole, each time."""

from __future__ import annotations

from typing import Any

from services.catalog.contract.courses import HourType
from services.catalog.courses.rules import is_public
from services.catalog.periods.models import Offering, Period
from services.shared import clock


def period_payload(period: Period) -> dict[str, Any]:
    return {
        "period_id": str(period.period_id),
        "version": period.version,
        "code": period.code,
        "title": period.title,
        "tier": str(period.tier),
        "place_id": period.place,
        "year": period.year,
        "state": str(period.state),
        "selects_from": clock.format_instant(period.selects_from),
        "selects_until": clock.format_instant(period.selects_until),
        "due_on": period.due_on.isoformat(),
    }


def offering_payload(offering: Offering) -> dict[str, Any]:
    return {
        "offering_id": str(offering.offering_id),
        "version": offering.version,
        "period_id": str(offering.period_id),
        "tier": str(offering.tier),
        "place_id": offering.place,
        "course_id": str(offering.course_id),
        "course_no": offering.course_no,
        "title": offering.title,
        "hour_type": str(offering.hour_type),
        "course_type": str(offering.course_type),
        "hours": f"{offering.hours:.2f}",
        "fee": f"{offering.fee:.2f}",
        "material_fee": f"{offering.material_fee:.2f}",
        "public_course": is_public(HourType(offering.hour_type)),
        "applicant_unit_id": str(offering.applicant_unit_id),
        "applicant_place": offering.applicant_place,
        "charging_unit_id": str(offering.charging_unit_id),
        "charging_place": offering.charging_place,
        "capacity": offering.capacity,
        "audience": offering.audience,
        "capability": offering.capability_class is not None,
        "capability_class": offering.capability_class and str(offering.capability_class),
        "state": str(offering.state),
    }
