"""Keeping training projects; from its publication on each change of one is announced whole."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.projects import PROJECT_CHANGED, ProjectState
from services.catalog.courses import queries as course_queries
from services.catalog.courses.actions import plain
from services.catalog.courses.models import Unit
from services.catalog.courses.rules import may_name, require_home
from services.catalog.further_study.rules import shown_at
from services.catalog.periods.actions.offerings import audience_inside
from services.catalog.projects import queries, rules
from services.catalog.projects.models import CONTENT, TrainingProject
from services.catalog.projects.telling import project_payload
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput
from services.shared.ids import new_id

Values = dict[str, Any]


def create_project(db: Session, call: Call, place: str, values: Values) -> TrainingProject:
    """A draft of the caller's city, district or institution.

    Raises NotAllowed("catalog.keeper_elsewhere"), InvalidInput for dates that make no sense, for a unit that nobody knows
    or may not be named there, for an audience outside the region.
    """
    call.authorise(place=place, missing="catalog.keeper_elsewhere", field="place")
    require_home(call.actor.grants, place)
    rules.require_window(values)
    region = shown_at(call.actor.grants, place)
    project = TrainingProject(
        project_id=new_id(),
        version=1,
        place=place,
        shown_at=region,
        institution_place=_institution(db, place, values["institution_unit_id"]).place,
        state=ProjectState.DRAFT,
        published_at=None,
        changed_at=call.now,
        **{**values, "audience": _audience(db, region, values["audience"])},
    )
    db.add(project)
    _record(db, call, project, {}, {"title": project.title, "state": str(project.state)})
    return project


def change_project(db: Session, call: Call, project_id: uuid.UUID, version: int, values: Values) -> TrainingProject:
    """Replace what the project says; the same again changes nothing.

    Raises as `create_project`, NotFound out of reach, Conflict for an outdated `version` and for what must stay
    (`rules.require_change`).
    """
    project = _lock_kept(db, call, project_id, version)
    wanted = {**values, "audience": _audience(db, project.shown_at, values["audience"])}
    old = {name: getattr(project, name) for name in CONTENT}
    rules.require_change(ProjectState(project.state), old, wanted, call.now)
    changes = {name: wanted[name] for name in CONTENT if wanted[name] != old[name]}
    if not changes:
        return project
    if "institution_unit_id" in changes:
        project.institution_place = _institution(db, project.place, wanted["institution_unit_id"]).place
    for name, value in changes.items():
        setattr(project, name, value)
    before, after = ({name: _plain(of[name]) for name in changes} for of in (old, wanted))
    _advance(db, call, project, before, after)
    return project


def publish_project(db: Session, call: Call, project_id: uuid.UUID, version: int) -> TrainingProject:
    """Show the project to its teachers. Raises as `change_project`, InvalidInput when nobody could apply any more."""
    project = _lock_kept(db, call, project_id, version)
    rules.require_publishable(ProjectState(project.state), project.applies_until, call.now)
    before = {"state": str(project.state)}
    project.state, project.published_at = ProjectState.PUBLISHED, call.now
    _advance(db, call, project, before, {"state": str(project.state)})
    return project


def withdraw_project(db: Session, call: Call, project_id: uuid.UUID, version: int, reason: str) -> TrainingProject:
    """Call the project off, until its last day is over; learning tells whoever applied. Raises as `change_project`."""
    project = _lock_kept(db, call, project_id, version)
    rules.require_withdrawable(ProjectState(project.state), project.ends_on, call.now)
    before = {"state": str(project.state)}
    project.state = ProjectState.WITHDRAWN
    _advance(db, call, project, before, {"state": str(project.state)}, reason)
    return project


def follow_unit(db: Session, unit_id: uuid.UUID, place: str, now: dt.datetime) -> None:
    """An institution stands elsewhere now, and with it the right to review and to enter hours."""
    for project in queries.lock_projects_of_unit(db, unit_id, place):
        project.institution_place = place
        project.version += 1
        project.changed_at = now
        _announce(db, project)


def institution_names(db: Session, projects: list[TrainingProject]) -> dict[uuid.UUID, str]:
    units = course_queries.find_units(db, {project.institution_unit_id for project in projects})
    return {unit_id: unit.name for unit_id, unit in units.items()}


def _institution(db: Session, place: str, unit_id: uuid.UUID) -> Unit:
    """Raises InvalidInput("catalog.unit_unknown")."""
    unit = course_queries.find_units(db, [unit_id]).get(unit_id)
    if unit is None or unit.state not in course_queries.LIVING or not may_name(place, unit.place):
        raise InvalidInput("catalog.unit_unknown", "institution_unit_id")
    return unit


def _audience(db: Session, region: str, given: Values) -> Values:
    return audience_inside(region, given, course_queries.find_units(db, given["school_ids"]))


def _lock_kept(db: Session, call: Call, project_id: uuid.UUID, version: int) -> TrainingProject:
    project = queries.get_project(db, project_id, lock=True)
    call.authorise(place=project.place, missing=queries.NO_PROJECT, field="project_id")
    if project.version != version:
        raise Conflict("catalog.project_version", "version")
    return project


def _advance(
    db: Session, call: Call, project: TrainingProject, before: Values, after: Values, reason: str = ""
) -> None:
    project.version += 1
    project.changed_at = call.now
    _announce(db, project)
    _record(db, call, project, before, after, reason)


def _announce(db: Session, project: TrainingProject) -> None:
    db.flush()
    if project.published_at is not None:
        name = institution_names(db, [project])[project.institution_unit_id]
        outbox.announce(db, PROJECT_CHANGED, project.project_id, project_payload(project, name))


def _record(db: Session, call: Call, project: TrainingProject, before: Values, after: Values, reason: str = "") -> None:
    db.flush()
    after = {"version": project.version, **after}
    audit.record(db, call, subject=project.project_id, place=project.place, reason=reason, before=before, after=after)


def _plain(value: Any) -> Any:
    return value if isinstance(value, dict) else plain(value)
