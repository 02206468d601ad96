"""School codes through a school's life: given, void, taken back (`domain.md` §2.6). `school.code` is what it carries now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.org.models import School
from services.org.rules import schools as rules
from services.org.units import queries
from services.org.units.models import SchoolCode
from services.org.units.rules.lifecycle import CodeEnd
from services.shared.errors import Conflict


def give_codes(db: Session, schools: Sequence[School], now: dt.datetime) -> None:
    """Enter the codes of new schools, which were found free; a corrected one changes hands."""
    wanted = {str(school.code): school for school in schools if school.code}
    corrected = queries.lock_codes(db, wanted)
    for row in corrected:
        _hand_over(row, wanted.pop(row.code), now)
    db.add_all(SchoolCode(code=code, school_id=school.school_id, given_at=now) for code, school in wanted.items())
    db.flush()


def give_code(db: Session, school: School, code: str, now: dt.datetime) -> None:
    """Let a school that has no code carry this one.

    Raises InvalidInput for a code of wrong form, province or kind, Conflict("org.code_taken") for one that is or was
    another school's, or its own before it was coded anew.
    """
    rules.require_school_code(code, school.division_code)
    rules.require_code_fits(code, queries.kind_of(school), queries.type_of(school))
    if queries.find_taken_codes(db, {code}):
        raise Conflict("org.code_taken", "code")
    school.code = code
    give_codes(db, [school], now)


def end_code(db: Session, school: School, why: CodeEnd, now: dt.datetime) -> None:
    """Void the school's code, if it has one."""
    if school.code is None:
        return
    for row in queries.lock_codes(db, [school.code]):
        row.void_at, row.void_reason = now, why
    school.code = None
    db.flush()


def hand_over_code(db: Session, merged: School, surviving: School, now: dt.datetime) -> None:
    """Let the school that remains carry the merged one's code; its own is void."""
    code = str(merged.code)
    end_code(db, surviving, CodeEnd.MERGED, now)
    merged.code = None
    db.flush()  # two schools never carry one code, not even for a moment
    for row in queries.lock_codes(db, [code]):
        _hand_over(row, surviving, now)
    surviving.code = code
    db.flush()


def take_back_code(db: Session, school: School) -> None:
    """A school that hangs its sign again takes its old code, unless the merger gave that to another."""
    if (row := queries.find_last_code(db, school.school_id)) is not None:
        row.void_at = row.void_reason = None
        school.code = row.code
        db.flush()


def _hand_over(row: SchoolCode, school: School, now: dt.datetime) -> None:
    row.school_id, row.given_at, row.void_at, row.void_reason = school.school_id, now, None, None
