"""Entrypoints of training projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.projects import ProjectState
from services.catalog.periods.rules import places_above
from services.catalog.projects import actions, queries, schemas
from services.catalog.projects.models import TrainingProject
from services.shared.bus import Call, command, query
from services.shared.clock import BEIJING
from services.shared.errors import NotFound
from services.shared.paging import page_of

Reply = dict[str, Any]


class Projects:
    """Mixed into the service."""

    database: Any

    @command
    def create_training_project(self, call: Call) -> Reply:
        values = call.load(schemas.CreateProject())
        place = values.pop("place")
        return self._commit_project(call, lambda db: actions.create_project(db, call, place, values))

    @command
    def change_training_project(self, call: Call) -> Reply:
        values = call.load(schemas.ChangeProject())
        project_id, version = values.pop("project_id"), values.pop("version")
        return self._commit_project(call, lambda db: actions.change_project(db, call, project_id, version, values))

    @command
    def publish_training_project(self, call: Call) -> Reply:
        key = call.load(schemas.PublishProject())
        return self._commit_project(call, lambda db: actions.publish_project(db, call, **key))

    @command
    def withdraw_training_project(self, call: Call) -> Reply:
        given = call.load(schemas.WithdrawProject())
        return self._commit_project(call, lambda db: actions.withdraw_project(db, call, **given))

    @query
    def list_training_projects(self, call: Call) -> Reply:
        """Published projects for the teachers of a place that are not over, newest first."""
        asked = call.load(schemas.ListProjects())
        where = queries.shown(places_above(asked["place"]), call.now.astimezone(BEIJING).date())
        return self._projects(call, asked, where)

    @query
    def get_training_project(self, call: Call) -> Reply:
        """One that was published, also when it is over or withdrawn."""
        project_id = call.load(schemas.ProjectId())["project_id"]
        with self.database.read(call) as db:
            project = queries.get_project(db, project_id)
            if project.published_at is None:
                raise NotFound(queries.NO_PROJECT, "project_id")
            return _shown(db, [project])[0]

    @query
    def get_kept_training_project(self, call: Call) -> Reply:
        project_id = call.load(schemas.ProjectId())["project_id"]
        with self.database.read(call) as db:
            project = queries.get_project(db, project_id)
            call.authorise(place=project.place, missing=queries.NO_PROJECT, field="project_id")
            return _shown(db, [project])[0]

    @query
    def list_kept_training_projects(self, call: Call) -> Reply:
        """The keeper's own and those below, drafts among them."""
        asked = call.load(schemas.ListKeptProjects())
        call.authorise(place=asked["place"], missing="catalog.keeper_elsewhere", field="place")
        return self._projects(call, asked, queries.kept_at(asked["place"]), asked["state"])

    # --- shared ---

    def _projects(self, call: Call, asked: Reply, where: Any, state: ProjectState | None = None) -> Reply:
        limit = asked["limit"]
        with self.database.read(call) as db:
            found = _shown(db, queries.list_projects(db, where, state, asked["cursor"], limit + 1))
        return page_of(found, limit, lambda project: project, lambda project: project["project_id"])

    def _commit_project(self, call: Call, act: Callable[[Session], TrainingProject]) -> Reply:
        reply: Reply = self.database.commit_once(call, lambda db: _named(db, [act(db)])[0], schemas.Project())
        return reply


def _shown(db: Session, projects: list[TrainingProject]) -> list[Reply]:
    return [schemas.Project().dump(project) for project in _named(db, projects)]


def _named(db: Session, projects: list[TrainingProject]) -> list[Reply]:
    """Projects with the names of their institutions."""
    names = actions.institution_names(db, projects)
    return [
        {
            **{column.key: getattr(project, column.key) for column in TrainingProject.__table__.columns},
            "institution_name": names[project.institution_unit_id],
        }
        for project in projects
    ]
