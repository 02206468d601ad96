"""Counting choices: how many stand for each offering, and how many of each subject's teachers."""

from __future__ import annotations

import collections
import uuid
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.periods.models import Offering
from services.catalog.shelf import queries, rules
from services.catalog.shelf.models import Choice, PeerTally, Teaching

NOT_COUNTED = "CANCELLED"


def record_choices(db: Session, payloads: Iterable[dict[str, Any]]) -> None:
    """Take over what learning tells of choices. Late, repeated and reordered news change nothing: the newest counts once."""
    newest: dict[uuid.UUID, dict[str, Any]] = {}
    for payload in payloads:
        key = uuid.UUID(payload["choice_id"])
        if key not in newest or newest[key]["version"] < payload["version"]:
            newest[key] = payload
    if not newest:
        return
    _make_rows(db, newest)
    chosen: collections.Counter[uuid.UUID] = collections.Counter()
    by_subject: collections.Counter[tuple[uuid.UUID, str]] = collections.Counter()
    for choice in queries.lock_choices(db, newest):
        payload = newest[choice.choice_id]
        if payload["version"] <= choice.version:
            continue
        change = rules.counts(payload["state"]) - rules.counts(choice.state)
        choice.version, choice.state = payload["version"], payload["state"]
        chosen[choice.offering_id] += change
        if choice.subject:
            by_subject[choice.offering_id, choice.subject] += change
    db.flush()
    _add(db, chosen)
    _add_by_subject(db, by_subject)


def _make_rows(db: Session, newest: dict[uuid.UUID, dict[str, Any]]) -> None:
    """An empty row for each choice that is new, so that whoever comes second waits for the first."""
    teachers = {key: uuid.UUID(payload["teacher_id"]) for key, payload in newest.items()}
    subjects = queries.find_subjects(db, set(teachers.values()))
    rows = [
        {
            "choice_id": key,
            "version": 0,
            "teacher_id": teachers[key],
            "offering_id": uuid.UUID(payload["offering_id"]),
            "state": NOT_COUNTED,
            "subject": subjects.get(teachers[key], ""),
        }
        for key, payload in sorted(newest.items())
    ]
    db.execute(insert(Choice).values(rows).on_conflict_do_nothing())


def _add(db: Session, changes: collections.Counter[uuid.UUID]) -> None:
    for offering_id, change in sorted(changes.items()):
        if change:
            counted = sa.update(Offering).where(Offering.offering_id == offering_id)
            db.execute(counted.values(chosen=Offering.chosen + change))


def _add_by_subject(db: Session, changes: collections.Counter[tuple[uuid.UUID, str]]) -> None:
    periods: dict[uuid.UUID, uuid.UUID] = dict(
        db.execute(
            sa.select(Offering.offering_id, Offering.period_id).where(
                Offering.offering_id.in_({offering_id for offering_id, _ in changes})
            )
        ).all()
    )
    for (offering_id, subject), change in sorted(changes.items()):
        if change and offering_id in periods:
            row = {"offering_id": offering_id, "subject": subject, "period_id": periods[offering_id], "chosen": change}
            statement = insert(PeerTally).values(row)
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=["offering_id", "subject"],
                    set_={"chosen": PeerTally.chosen + statement.excluded.chosen},
                )
            )


def recount(db: Session) -> int:
    """Bring what was counted in line with the choices that are here; a projection that was rebuilt had counted twice.

    Whoever counts meanwhile waits, so that nothing is lost in between. Returns how many offerings were wrong.
    """
    db.execute(sa.text("LOCK TABLE choice IN SHARE MODE"))
    standing = sa.text(
        "UPDATE offering SET chosen = told.chosen FROM ("
        " SELECT o.offering_id, count(c.choice_id)::int AS chosen FROM offering o"
        " LEFT JOIN choice c ON c.offering_id = o.offering_id AND c.state <> ALL(:taken_back)"
        " GROUP BY o.offering_id) AS told"
        " WHERE offering.offering_id = told.offering_id AND offering.chosen <> told.chosen"
        " RETURNING offering.offering_id"
    )
    wrong = db.execute(standing, {"taken_back": sorted(rules.TAKEN_BACK)}).all()
    if wrong:
        ids = {"ids": [row.offering_id for row in wrong], "taken_back": sorted(rules.TAKEN_BACK)}
        db.execute(sa.text("DELETE FROM peer_tally WHERE offering_id = ANY(:ids)"), ids)
        db.execute(
            sa.text(
                "INSERT INTO peer_tally (offering_id, subject, period_id, chosen)"
                " SELECT c.offering_id, c.subject, o.period_id, count(*) FROM choice c"
                " JOIN offering o ON o.offering_id = c.offering_id"
                " WHERE c.offering_id = ANY(:ids) AND c.subject <> '' AND c.state <> ALL(:taken_back)"
                " GROUP BY c.offering_id, c.subject, o.period_id"
            ),
            ids,
        )
    return len(wrong)


def keep_teaching(db: Session, payload: dict[str, Any]) -> None:
    """Store what a teacher teaches unless a newer profile is known."""
    values = {
        "teacher_id": uuid.UUID(payload["account_id"]),
        **{name: payload[name] for name in ("version", "segment", "subject")},
    }
    statement = insert(Teaching).values(values)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["teacher_id"],
            set_={name: statement.excluded[name] for name in ("version", "segment", "subject")},
            where=Teaching.version < statement.excluded.version,
        )
    )
