"""Creating schools, one by one or from a roster, and loading the divisions that they stand under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.org import contract, queries, schemas
from services.org.contract import Attachment, Level, Outcome, SchoolKind, SchoolNature, SchoolState, SchoolType
from services.org.models import Division, School, SchoolContact
from services.org.rules import schools as rules
from services.org.rules.delegation import require_school_keeper
from services.org.rules.divisions import DivisionRow
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, ServiceError
from services.shared.ids import new_id


def create_school(db: Session, call: Call, arguments: dict[str, Any], cipher: FieldCipher) -> School:
    """A new active school under a division that the caller keeps.

    Raises NotFound outside the caller's territory, NotAllowed for a level that keeps only its direct units, InvalidInput
    for a code of wrong form or province, Conflict for a code or name that is taken.
    """
    division = _authorised_division(db, call, arguments["division_code"])
    if code := arguments["code"]:
        rules.require_school_code(code, division.code)
        if queries.find_schools_by_code(db, [code]):
            raise Conflict("org.code_taken", "code")
    if queries.find_school_by_name(db, division.place, arguments["name"]):
        raise Conflict("org.name_taken", "name")
    return _add(db, call, division, arguments, cipher)


def import_schools(
    db: Session, call: Call, rows: Sequence[dict[str, Any]], cipher: FieldCipher
) -> dict[str, list[dict[str, Any]]]:
    """Create the schools of a roster that are not there yet; every row gets its own outcome."""
    return {"rows": [_import_row(db, call, row["row"], row["values"], cipher) for row in rows]}


def load_divisions(db: Session, rows: Sequence[DivisionRow]) -> dict[str, int]:
    """Bring the divisions to the state of the table, and give each county its 其他; returns what changed.

    A division that is no longer in the table stays: schools and teachers may still stand under it.
    """
    return {
        "divisions": len(rows),
        "changed": _upsert_divisions(db, rows),
        "others_created": _insert_others(db, [row for row in rows if row.has_other]),
    }


def _authorised_division(db: Session, call: Call, code: str) -> Division:
    division = queries.get_division(db, code)
    call.authorise(place=division.place, missing="org.division_unknown")
    if not call.actor.service:
        require_school_keeper(call.actor.grants, division.place)
    return division


def _add(db: Session, call: Call, division: Division, values: dict[str, Any], cipher: FieldCipher) -> School:
    school_id = new_id()
    place = rules.place_of_school(division.place, school_id)
    public = {name: values[name] for name in ("name", "code", "kind", "school_type", "nature", "town")}
    school = School(
        **public,
        school_id=school_id,
        place=place,
        parent=division.place,
        division_code=division.code,
        name_tokens=rules.tokens_of(values["name"]),
        attachment=rules.attachment_under(Level(division.level)),
        other=False,
        state=SchoolState.ACTIVE,
        version=1,
        created_at=call.now,
    )
    db.add(school)
    db.flush()
    db.add(
        SchoolContact(
            school_id=school_id,
            place=place,
            seal_name=values["seal_name"],
            head_name=values["head_name"],
            head_mobile_sealed=cipher.seal(values["head_mobile"], "school_contact", school_id, "head_mobile"),
        )
    )
    db.flush()
    outbox.announce(
        db,
        contract.SCHOOL_CREATED,
        school_id,
        {"school_id": str(school_id), "version": 1, "name": school.name, "place": place, "state": str(school.state)},
    )
    audit.record(db, call, subject=None, place=place, after={"school_id": str(school_id), "state": str(school.state)})
    return school


def _import_row(db: Session, call: Call, row: int, values: dict[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    try:
        arguments = schemas.NewSchool().load(values)
        if _is_known(db, arguments):
            _authorised_division(db, call, arguments["division_code"])
            return _outcome(row, Outcome.UNCHANGED)
        with db.begin_nested():
            create_school(db, call, arguments, cipher)
        return _outcome(row, Outcome.CREATED)
    except ValidationError as error:
        return _outcome(row, Outcome.REFUSED, "org.value_malformed", first_fault(error.messages)[0])
    except ServiceError as error:
        return _outcome(row, Outcome.REFUSED, error.code, error.field)
    except IntegrityError:  # somebody created it this very moment
        return _outcome(row, Outcome.REFUSED, "org.name_taken", "name")


def _is_known(db: Session, values: dict[str, Any]) -> bool:
    """Whether this very school is there: same division and name, and the same code where the roster gives one."""
    division = queries.get_division(db, values["division_code"])
    school = queries.find_school_by_name(db, division.place, values["name"])
    return school is not None and values["code"] in (None, school.code)


def _outcome(row: int, outcome: Outcome, code: str = "", field: str = "") -> dict[str, Any]:
    return {"row": row, "outcome": outcome, "code": code, "field": field}


def _upsert_divisions(db: Session, rows: Sequence[DivisionRow]) -> int:
    # One statement with arrays: thousands of rows as VALUES take a second to compile.
    result = db.execute(
        sa.text("""
            INSERT INTO division (code, level, parent, place, name, leaf)
            SELECT * FROM unnest(
                CAST(:codes AS text[]), CAST(:levels AS text[]), CAST(:parents AS text[]),
                CAST(:places AS text[]), CAST(:names AS text[]), CAST(:leaves AS boolean[]))
            ON CONFLICT (code) DO UPDATE
            SET (level, parent, place, name, leaf)
                = (excluded.level, excluded.parent, excluded.place, excluded.name, excluded.leaf)
            WHERE (division.level, division.parent, division.place, division.name, division.leaf)
                IS DISTINCT FROM (excluded.level, excluded.parent, excluded.place, excluded.name, excluded.leaf)
        """),
        {
            "codes": [row.code for row in rows],
            "levels": [str(row.level) for row in rows],
            "parents": [row.parent for row in rows],
            "places": [row.place for row in rows],
            "names": [row.name for row in rows],
            "leaves": [row.leaf for row in rows],
        },
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _insert_others(db: Session, rows: Sequence[DivisionRow]) -> int:
    result = db.execute(
        sa.text("""
            INSERT INTO school (school_id, place, parent, division_code, name, name_tokens, code, kind, attachment,
                school_type, nature, town, other, state, version, created_at)
            SELECT id, place, parent, division_code, '其他', '{}', NULL, :kind, attachment,
                :school_type, :nature, '', true, :state, 1, now()
            FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS text[]), CAST(:parents AS text[]),
                CAST(:codes AS text[]), CAST(:attachments AS text[]))
                AS other(id, place, parent, division_code, attachment)
            ON CONFLICT (school_id) DO NOTHING
        """),
        {
            "kind": SchoolKind.OTHER_INSTITUTION,
            "school_type": SchoolType.OTHER,
            "nature": SchoolNature.OTHER,
            "state": SchoolState.ACTIVE,
            "ids": [rules.id_of_other(row.code) for row in rows],
            "places": [rules.place_of_other(row.place) for row in rows],
            "parents": [row.place for row in rows],
            "codes": [row.code for row in rows],
            "attachments": [str(_attachment(row)) for row in rows],
        },
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _attachment(row: DivisionRow) -> Attachment:
    return rules.attachment_under(row.level)
