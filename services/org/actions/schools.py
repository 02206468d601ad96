"""Creating schools, one by one or from a roster."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from services.org import contract, queries, schemas
from services.org.actions import contacts
from services.org.contract import Level, Outcome, SchoolState
from services.org.contract.units import SCHOOL_CHANGED
from services.org.delegation.actions import note_units
from services.org.models import Division, School, SchoolContact
from services.org.rules import schools as rules
from services.org.rules.delegation import require_school_keeper
from services.org.units import queries as unit_queries
from services.org.units.actions import codes
from services.org.units.actions.telling import payload_of
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, InvalidInput, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.search_tokens import tokens_of

Values = dict[str, Any]
_FORM = schemas.NewSchool()  # once: to make one costs more than to use it


@dataclasses.dataclass
class Register:
    """What is known of everything that the new schools name, and of those among them that are already planned."""

    divisions: dict[str, Division]
    taken_codes: set[str]  # also void ones
    by_name: dict[tuple[str, str], School]  # (place of the parent, name)

    def add(self, school: School) -> None:
        self.by_name[school.parent, school.name] = school
        if school.code:
            self.taken_codes.add(school.code)


@dataclasses.dataclass(frozen=True)
class NewSchool:
    school: School
    contact: SchoolContact


def create_school(db: Session, call: Call, arguments: Values, cipher: FieldCipher) -> School:
    """A new active school under a division that the caller keeps.

    Raises NotFound outside the caller's territory, NotAllowed for a level that keeps only its direct units, InvalidInput
    for a code of wrong form or province, Conflict for a code or name that is taken.
    """
    register = _load_register(db, [arguments])
    division = _authorised_division(call, register, arguments["division_code"])
    new = _planned(call, register, division, arguments, cipher)
    _save(db, call, [new])
    return new.school


def import_schools(
    db: Session, call: Call, rows: Sequence[dict[str, Any]], cipher: FieldCipher
) -> dict[str, list[dict[str, Any]]]:
    """Create the schools of a roster that are not there yet; every row gets its own outcome."""
    judged = [_judged(row["values"]) for row in rows]
    register = _load_register(db, [values for values in judged if not isinstance(values, ServiceError)])
    new: list[NewSchool] = []
    outcomes = [
        _outcome(call, register, row["row"], values, cipher, new) for row, values in zip(rows, judged, strict=True)
    ]
    _save(db, call, new)
    return {"rows": outcomes}


def _load_register(db: Session, wanted: Sequence[Values]) -> Register:
    taken = unit_queries.find_taken_codes(db, {values["code"] for values in wanted if values["code"]})
    register = Register(queries.find_divisions(db, {values["division_code"] for values in wanted}), taken, {})
    for school in queries.find_schools_by_name(db, {values["name"] for values in wanted}):
        register.by_name[school.parent, school.name] = school
    return register


def _authorised_division(call: Call, register: Register, code: str) -> Division:
    division = register.divisions.get(code)
    if division is None:
        raise NotFound("org.division_unknown")
    call.authorise(place=division.place, missing="org.division_unknown")
    if not call.actor.service:
        require_school_keeper(call.actor.grants, division.place)
    return division


def _planned(call: Call, register: Register, division: Division, values: Values, cipher: FieldCipher) -> NewSchool:
    """The rows of a new school, also put into the register. Raises the refusal of a code or name."""
    if code := values["code"]:
        rules.require_school_code(code, division.code)
        rules.require_code_fits(code, values["kind"], values["school_type"])
        if code in register.taken_codes:
            raise Conflict("org.code_taken", "code")
    if (division.place, values["name"]) in register.by_name:
        raise Conflict("org.name_taken", "name")
    school = _school(call, division, values)
    register.add(school)
    return NewSchool(school, contacts.new_contact(cipher, school, values))


def _school(call: Call, division: Division, values: Values) -> School:
    school_id = new_id()
    return School(
        **{name: values[name] for name in ("name", "code", "kind", "school_type", "nature", "town")},
        school_id=school_id,
        place=rules.place_of_school(division.place, school_id),
        parent=division.place,
        division_code=division.code,
        name_tokens=tokens_of(values["name"]),
        attachment=rules.attachment_under(Level(division.level)),
        other=False,
        state=SchoolState.ACTIVE,
        version=1,
        created_at=call.now,
        changed_at=call.now,
    )


def _save(db: Session, call: Call, new: Sequence[NewSchool]) -> None:
    """Write the schools, announce them, and record who created them; few statements for many."""
    db.add_all(each.school for each in new)
    db.flush()  # the contacts refer to them
    db.add_all(each.contact for each in new)
    db.flush()
    schools = [each.school for each in new]
    codes.give_codes(db, schools, call.now)
    note_units(db, [(None, school.place) for school in schools])
    outbox.announce_many(db, contract.SCHOOL_CREATED, [(school.school_id, _payload(school)) for school in schools])
    # The whole record from its first version on, for whoever keeps a projection of schools.
    outbox.announce_many(
        db, SCHOOL_CHANGED, [(each.school.school_id, payload_of(each.school, each.contact)) for each in new]
    )
    audit.record_many(
        db,
        call,
        [
            audit.Act(None, school.place, after={"school_id": str(school.school_id), "state": str(school.state)})
            for school in schools
        ],
    )


def _payload(school: School) -> dict[str, Any]:
    return {
        "school_id": str(school.school_id),
        "version": school.version,
        "name": school.name,
        "place": school.place,
        "state": str(school.state),
    }


# --- rows of a roster -----------------------------------------------------------------------------------------------


def fault_in_form(values: Values) -> ServiceError | None:
    """What `import_schools` would refuse this row with, as far as its form alone tells."""
    judged = _judged(values)
    return judged if isinstance(judged, ServiceError) else None


def _judged(values: Values) -> Values | ServiceError:
    """The row's values when their form is right, else the refusal."""
    try:
        loaded: Values = _FORM.load(values)
    except ValidationError as error:
        return InvalidInput("shared.value_malformed", first_fault(error.messages)[0])
    return loaded


def _outcome(
    call: Call, register: Register, row: int, values: Values | ServiceError, cipher: FieldCipher, new: list[NewSchool]
) -> dict[str, Any]:
    """The row's outcome; a school that has to be created is added to `new`."""
    outcome, code, field = Outcome.UNCHANGED, "", ""
    try:
        if isinstance(values, ServiceError):
            raise values
        division = _authorised_division(call, register, values["division_code"])
        if not _is_known(register, division, values):
            new.append(_planned(call, register, division, values, cipher))
            outcome = Outcome.CREATED
    except NotFound as error:  # unknown or out of reach: the same answer
        outcome, code, field = Outcome.REFUSED, error.code, "division_code"
    except ServiceError as error:
        outcome, code, field = Outcome.REFUSED, error.code, error.field
    return {"row": row, "outcome": outcome, "code": code, "field": field}


def _is_known(register: Register, division: Division, values: Values) -> bool:
    """Whether this very school is there: same division and name, and the same code where the roster gives one."""
    school = register.by_name.get((division.place, values["name"]))
    return school is not None and values["code"] in (None, school.code)
