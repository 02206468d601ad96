"""What the catalogue does: publish a programme, close the due ones."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.catalog import contract, queries, rules
from services.catalog.courses.queries import find_units
from services.catalog.models import Programme, ProgrammeVersion
from services.catalog.periods.rules import require_audience_inside
from services.catalog.questions import actions as banks
from services.catalog.questions import exams
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput
from services.shared.yaml_files import content_hash

NATION = "CN"  # the root of all places: whoever publishes for the nation holds it


@dataclasses.dataclass(frozen=True)
class Publication:
    programme_id: uuid.UUID
    code: str
    version: int
    content_hash: str
    published: bool


def publish_programme(db: Session, call: Call, season: dict[str, Any]) -> Publication:
    """Make this content the programme's present version and announce it; the same content again changes nothing.

    Raises Conflict when the programme has closed, or when it has opened and the content would alter existing study;
    InvalidInput for an audience that reaches beyond the organiser's place.
    """
    for bank in season.get("question_banks", ()):
        banks.publish_with_season(db, call, bank)
    content = rules.programme_of(banks.draw_into(db, season))
    digest = content_hash(content)
    programme = queries.lock_programme(db, _first_row(content["programme_id"], season))
    if programme.content_hash == digest:
        return _publication(programme, published=False)
    _require_audience_inside(db, season)
    _refuse_harm(db, programme, content, call.now)
    programme.version += 1
    programme.content_version = programme.version
    _describe(programme, season, digest)
    db.add(
        ProgrammeVersion(
            programme_id=programme.programme_id,
            version=programme.version,
            content_hash=digest,
            content=content,
            published_by=call.actor.key,
            published_at=call.now,
        )
    )
    db.flush()
    outbox.announce(db, contract.PROGRAMME_PUBLISHED, programme.programme_id, published_payload(programme, content))
    exams.announce_exams(db, programme, content)
    audit.record(db, call, subject=None, place=NATION, after={"code": programme.code, "version": programme.version})
    return _publication(programme, published=True)


def _require_audience_inside(db: Session, season: dict[str, Any]) -> None:
    given = season.get("audience", rules.EVERYBODY)
    schools = find_units(db, given["school_ids"])
    if len(schools) < len(set(given["school_ids"])):
        raise InvalidInput("catalog.unit_unknown", "audience.school_ids")
    require_audience_inside(
        season.get("place", NATION), given["place_ids"], [school.place for school in schools.values()]
    )


def _first_row(programme_id: str, season: dict[str, Any]) -> Programme:
    """Version 0 is never announced: publication adds one in the same transaction."""
    programme = Programme(
        programme_id=uuid.UUID(programme_id), code=season["code"], version=0, content_version=0, closed_at=None
    )
    _describe(programme, season, digest="")
    return programme


def _describe(programme: Programme, season: dict[str, Any], digest: str) -> None:
    programme.content_hash = digest
    programme.titles = season["titles"]
    programme.rule_pack = season["rule_pack"]
    programme.place = season.get("place", NATION)
    programme.visibility = rules.visibility_of(season)
    programme.audience = rules.audience_of(season)
    programme.opens_at = season["opens_at"]
    programme.fully_open_at = max(course["opens_at"] for course in season["courses"])
    programme.closes_at = season["closes_at"]


def _refuse_harm(db: Session, programme: Programme, content: dict[str, Any], now: dt.datetime) -> None:
    if programme.version == 0:
        return
    if programme.closed_at is not None or programme.closes_at <= now:
        raise Conflict("catalog.programme_closed", "code")
    if programme.opens_at <= now and not rules.keeps_study_intact(queries.content_of(db, programme), content):
        raise Conflict("catalog.would_change_study", "courses")
    if not rules.keeps_exams_intact(queries.content_of(db, programme), content, now):
        raise Conflict("catalog.would_change_exam", "exams")


def _publication(programme: Programme, *, published: bool) -> Publication:
    return Publication(programme.programme_id, programme.code, programme.version, programme.content_hash, published)


def close_due_programmes(db: Session, now: dt.datetime) -> int:
    """Announce each programme whose window has ended, once. Returns how many."""
    due = queries.lock_due_programmes(db, now)
    for programme in due:
        programme.version += 1
        programme.closed_at = now
        outbox.announce(
            db,
            contract.PROGRAMME_CLOSED,
            programme.programme_id,
            closed_payload(programme),
        )
    return len(due)


def published_payload(programme: Programme, content: dict[str, Any]) -> dict[str, Any]:
    """The programme as its last publication told it; the closing adds a version of its own."""
    told = {name: value for name, value in content.items() if name != "exams"}  # they have an event of their own
    return {**told, "version": programme.content_version}


def closed_payload(programme: Programme) -> dict[str, Any]:
    return {
        "programme_id": str(programme.programme_id),
        "version": programme.version,
        "closes_at": programme.closes_at.isoformat(),
    }
