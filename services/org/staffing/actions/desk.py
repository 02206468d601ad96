"""The desk of a school: what waits there to be done, in one answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

from sqlalchemy.orm import Session

from services.org.models import School
from services.org.staffing import queries
from services.org.staffing.queries import StaffView
from services.org.staffing.rules.employment import days_waiting
from services.org.transfers import queries as transfers
from services.shared import clock

ARRIVALS = 50  # shown on the desk; more of them at once are a case for the list of the archived


@dataclasses.dataclass(frozen=True)
class Desk:
    """`archived_arrivals`: teachers who came by transfer or by themselves and are archived since before (S3:192)."""

    school_id: uuid.UUID
    place: str
    reviews_waiting: int
    longest_waiting_days: int
    transfers_requested: int
    transfers_leaving: int
    archived_arrivals: list[StaffView]
    as_of: dt.datetime


def get_desk(db: Session, school: School, now: dt.datetime) -> Desk:
    waiting, since = queries.count_waiting(db, school.place)
    coming, leaving = transfers.count_open(db, school.place)
    return Desk(
        school_id=school.school_id,
        place=school.place,
        reviews_waiting=waiting,
        longest_waiting_days=waited(since, now) if since else 0,
        transfers_requested=coming,
        transfers_leaving=leaving,
        archived_arrivals=queries.list_archived_arrivals(db, school.place, ARRIVALS),
        as_of=now,
    )


def waited(since: dt.datetime, now: dt.datetime) -> int:
    """Whole days, as the calendar in Beijing has them."""
    return days_waiting(since.astimezone(clock.BEIJING).date(), now.astimezone(clock.BEIJING).date())
