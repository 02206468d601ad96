"""Rosters: schools, and the teachers in them."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.identity.contract.rosters import fault_in_person
from services.org.actions import rosters, schools
from services.org.contract import bulk
from services.shared import clock
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow, Kind, Result
from services.shared.bulk.rules import Outcome
from services.shared.bus import Call
from services.shared.policy import granted, service

SCHOOL_UNKNOWN = Fault("org.school_unknown", "school_code")
KEEPERS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR) | service("cli")


def fault_in_school(values: Mapping[str, str]) -> Fault | None:
    """For the preview: what `import_schools` would refuse for its form."""
    refusal = schools.fault_in_form(dict(values))
    return Fault(refusal.code, refusal.field) if refusal else None


def fault_in_teacher(values: Mapping[str, str]) -> Fault | None:
    """For the preview: what identity would refuse for its form."""
    found = fault_in_person(values, clock.now().astimezone(clock.BEIJING).date())
    return Fault(*found) if found else None


def import_schools(db: Session, chunk: Chunk) -> dict[int, Result]:
    """Create the schools that are not there yet."""
    rosters.authorise_territory(chunk.call)
    rows = [{"row": row.number, "values": dict(row.values)} for row in chunk.rows]
    done = schools.import_schools(db, chunk.call, rows, chunk.service.cipher)["rows"]
    return {answer["row"]: _result(answer) for answer in done}


def foresee_teachers(service: Any, call: Call, rows: Sequence[JobRow]) -> dict[int, Fault]:
    """For the preview: rows whose school is unknown or out of reach, which look alike, and rows whose person is elsewhere.

    That somebody is elsewhere is told only of a person whom the row knows by name, number and phone alike: whoever
    guesses one of them sees what he would see of nobody.
    """
    with service.database.read(call) as db:
        school_of = _find_schools(db, call, rows)
    faults = {row.number: SCHOOL_UNKNOWN for row in rows if row.number not in school_of}
    asked = [_person_in(row) for row in rows if row.number in school_of]
    if not asked:
        return faults
    known = service.bus.ask(identity.SERVICE, "find_known_people", {"rows": asked}, call)["people"]
    account_of = {person["row"]: uuid.UUID(person["account_id"]) for person in known}
    placed = [
        {"row": number, "account_id": account_of.get(number), "school_id": school_id}
        for number, school_id in school_of.items()
    ]
    with service.database.read(call) as db:
        codes = rosters.foresee_refusals(db, call, placed)
    return faults | {number: Fault(code, "school_code") for number, code in codes.items()}


def _find_schools(db: Session, call: Call, rows: Sequence[JobRow]) -> dict[int, uuid.UUID]:
    """The schools of the rows that name one inside the caller's territory, by row number."""
    codes = sorted({row.values["school_code"] for row in rows})
    known = {school.code: school.school_id for school in rosters.find_schools(db, call, codes)}
    return {row.number: known[row.values["school_code"]] for row in rows if row.values["school_code"] in known}


def _person_in(row: JobRow) -> dict[str, Any]:
    return {"row": row.number, **{key: text for key, text in row.values.items() if key != "school_code"}}


@dataclasses.dataclass
class People:
    """What is known of a chunk's rows before anything is done here: refusals, schools, accounts."""

    results: dict[int, Result]
    school_of: dict[int, uuid.UUID]
    account_of: dict[int, uuid.UUID] = dataclasses.field(default_factory=dict)


def prepare_teachers(chunk: Chunk) -> People:
    """Let identity make the accounts. The school comes first, so that a row for a school out of reach makes none."""
    with chunk.service.database.read(chunk.call) as db:
        school_of = _find_schools(db, chunk.call, chunk.rows)
    unknown = Result(Outcome.REFUSED, SCHOOL_UNKNOWN.code, SCHOOL_UNKNOWN.field)
    people = People({row.number: unknown for row in chunk.rows if row.number not in school_of}, school_of)
    _make_accounts(chunk, [_person_in(row) for row in chunk.rows if row.number in school_of], people)
    return people


def _make_accounts(chunk: Chunk, rows: Sequence[dict[str, Any]], people: People) -> None:
    if not rows:
        return
    reply = chunk.service.bus.tell_for(
        chunk.call.actor, identity.SERVICE, "import_people", {"rows": rows}, f"{chunk.key}/people"
    )
    for answer in reply["rows"]:
        people.results[answer["row"]] = _result(answer)
        if answer["account_id"]:
            people.account_of[answer["row"]] = uuid.UUID(answer["account_id"])


def import_teachers(db: Session, chunk: Chunk) -> dict[int, Result]:
    """Put the accounts into their schools; a row is created when its account or its place is new."""
    people: People = chunk.prepared
    rows = [
        {"row": number, "account_id": account_id, "school_id": people.school_of[number]}
        for number, account_id in people.account_of.items()
    ]
    results = dict(people.results)
    for answer in rosters.import_memberships(db, chunk.call, rows)["rows"]:
        placed = _result({**answer, "field": "school_code" if answer["code"] else ""})
        if placed.outcome is not Outcome.UNCHANGED:
            results[answer["row"]] = placed
    return results


def _result(answer: dict[str, Any]) -> Result:
    return Result(Outcome(answer["outcome"]), answer["code"], answer["field"])


KINDS = (
    Kind(
        name=bulk.IMPORT_SCHOOLS,
        title="学校名册导入",
        columns=bulk.SCHOOL_COLUMNS,
        policy=KEEPERS,
        run=import_schools,
        repeats=(("code",), ("division_code", "name")),
        check=fault_in_school,
    ),
    Kind(
        name=bulk.IMPORT_TEACHERS,
        title="教师名册导入",
        columns=bulk.TEACHER_COLUMNS,
        # A school's admin adds the own teachers (`domain.md` §1.2), one by one or by roster; each row is held to the school.
        policy=(KEEPERS | granted(Role.SCHOOL_ADMIN)).seeing_everything(
            "a teacher who belongs to a school elsewhere must be refused, not added a second time"
        ),
        prepare=prepare_teachers,
        run=import_teachers,
        repeats=(("id_type", "id_no"), ("phone",)),
        check=fault_in_teacher,
        foresee=foresee_teachers,
        chunk_rows=identity.IMPORT_ROWS_AT_ONCE,
    ),
)
