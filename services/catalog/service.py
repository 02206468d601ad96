"""Entrypoints of the catalogue."""

from __future__ import annotations

import datetime as dt

from services.catalog import actions, contract, queries, rules, schemas
from services.catalog.courses.entrypoints import Courses
from services.catalog.further_study.entrypoints import FurtherStudy
from services.catalog.models import Programme
from services.catalog.periods.entrypoints import Periods
from services.catalog.policy import POLICIES
from services.catalog.projections import PROJECTIONS
from services.catalog.projects.entrypoints import Projects
from services.catalog.questions.entrypoints import Questions
from services.catalog.shelf.entrypoints import Shelf
from services.catalog.snapshots import SNAPSHOTS
from services.shared.audit_trail import AuditTrail
from services.shared.bus import DatabaseProvider, command, periodic, query
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.paging import page_of


class CatalogService(Questions, Courses, Periods, Shelf, FurtherStudy, Projects, AuditTrail, TellsSnapshots):
    name = contract.SERVICE
    policies = POLICIES
    snapshots = SNAPSHOTS
    projections = PROJECTIONS
    database = DatabaseProvider()

    @query
    def list_programmes(self, call):
        arguments = call.load(schemas.ListProgrammes())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_programmes(db, rules.Viewpoint.of(call.actor), arguments["cursor"], limit + 1)
        page = page_of(found, limit, lambda programme: _shown(programme, call.now), lambda programme: programme.code)
        return schemas.ProgrammePage().dump(page)

    @query
    def get_programme(self, call):
        """The programme with its quiz points, without their answers: also one that stands on no list of the caller's."""
        arguments = call.load(schemas.GetProgramme())
        with self.database.read(call) as db:
            programme, content = queries.get_programme(db, arguments["programme_id"])
        return schemas.ProgrammeShown().dump(
            {
                **_shown(programme, call.now),
                "modules": content.get("modules", []),
                "phases": rules.phases_of(content),
                "courses": content["courses"],
                "exams": content.get("exams", []),
            }
        )

    @command
    def publish_programme(self, call):
        season = call.load(schemas.Season())
        call.authorise(place=actions.NATION)
        return self.database.commit_once(
            call, lambda db: actions.publish_programme(db, call, season), schemas.Publication()
        )

    @periodic(5, job="close_due_programmes")
    def close_due_programmes(self, now):
        with self.database.work() as db:
            actions.close_due_programmes(db, now)


def _shown(programme: Programme, now: dt.datetime) -> dict[str, object]:
    return {
        "programme_id": programme.programme_id,
        "code": programme.code,
        "version": programme.version,
        "state": rules.state_at(now, programme.opens_at, programme.fully_open_at, programme.closes_at),
        "titles": programme.titles,
        "opens_at": programme.opens_at.isoformat(),
        "closes_at": programme.closes_at.isoformat(),
        "days_left": rules.days_left(now, programme.closes_at),
        "rule_pack": programme.rule_pack,
        "content_hash": programme.content_hash,
        "place": programme.place,
        "visibility": programme.visibility,
        "audience": programme.audience,
    }
