"""Loading the divisions that schools stand under, and each county's 其他."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org.contract import SchoolKind, SchoolNature, SchoolState, SchoolType
from services.org.delegation.actions import note_regions
from services.org.rules import schools as rules
from services.org.rules.divisions import DivisionRow


def load_divisions(db: Session, rows: Sequence[DivisionRow]) -> dict[str, int]:
    """Bring the divisions to the state of the table, and give each county its 其他; returns what changed.

    A division that is no longer in the table stays: schools and teachers may still stand under it.
    """
    counts = {
        "divisions": len(rows),
        "changed": _upsert_divisions(db, rows),
        "others_created": _insert_others(db, [row for row in rows if row.has_other]),
    }
    note_regions(db, [(row.place, row.level) for row in rows if not row.stands_outside])
    return counts


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
            "attachments": [str(rules.attachment_under(row.level)) for row in rows],
        },
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
