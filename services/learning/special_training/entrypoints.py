"""Entrypoints of special training."""

from __future__ import annotations

import uuid
from typing import Any

from services.catalog.contract.projects import PROJECT_CHANGED
from services.learning.contract.special_training import ReviewStage
from services.learning.selection.rules import MEMBER
from services.learning.special_training import queries, rules, schemas, showing
from services.learning.special_training.actions import applying, attending, classes, keeping, reviewing
from services.learning.special_training.actions.classes import Result
from services.learning.special_training.models import TrainingApplication
from services.learning.special_training.queries import Wanted
from services.shared import clock
from services.shared.bus import Call, command, event_handler, query
from services.shared.errors import NotAllowed, NotFound, ServiceError
from services.shared.paging import page_of

Reply = dict[str, Any]
TEACHER = "TEACHER"


class SpecialTraining:
    """Mixed into the service."""

    database: Any

    # --- the teacher's ---

    @query
    def list_suitable_projects(self, call: Call) -> Reply:
        """推荐适度项目 (S3:734): what the teacher can apply for, now or soon; to whom no school is known, nothing."""
        asked = call.load(schemas.ListSuitable())
        teacher_id, limit = _as_teacher(call), asked["limit"]
        with self.database.read(call) as db:
            teacher = queries.find_teacher(db, teacher_id)
            placed = teacher.membership in MEMBER and teacher.school_id is not None
            found = (
                queries.list_suitable(db, teacher_id, teacher, call.now, asked["cursor"], limit + 1) if placed else []
            )

            def show(row: Any) -> Reply:
                return showing.suitable(row.TrainingProject, row.TrainingApplication, teacher, call.now)

            return page_of(found, limit, show, lambda row: str(row.TrainingProject.project_id))

    @command
    def apply_for_training(self, call: Call) -> Reply:
        given = call.load(schemas.Apply())
        teacher_id = _as_teacher(call)
        reply: Reply = self.database.commit_once(
            call, lambda db: applying.apply(db, call, teacher_id, **given), schemas.Application()
        )
        return reply

    @command
    def take_back_training_application(self, call: Call) -> Reply:
        key = call.load(schemas.ApplicationId())
        reply: Reply = self.database.commit_once(
            call, lambda db: applying.take_back(db, call, **key), schemas.Application()
        )
        return reply

    @query
    def list_own_trainings(self, call: Call) -> Reply:
        """我的专项培训, with how many each of its lists holds."""
        teacher_id = call.authorise_own()
        asked = call.load(schemas.ListOwn())
        cursor, limit, today = asked.pop("cursor"), asked.pop("limit"), rules.day_of(call.now)
        with self.database.read(call) as db:
            mine = queries.of_teacher(teacher_id)
            found = queries.list_applications(db, mine, Wanted(**asked), today, cursor, limit + 1)
            counts = queries.count_buckets(db, teacher_id, today)
        page = page_of(
            found, limit, lambda row: showing.training(row.TrainingApplication, row.TrainingProject, today), _key
        )
        return {**page, "counts": counts}

    @query
    def get_training(self, call: Call) -> Reply:
        """One application with its steps; to the teacher in the class also its notice, timetable and attendance."""
        application_id = call.load(schemas.ApplicationId())["application_id"]
        with self.database.read(call) as db:
            application = queries.get_application(db, application_id)
            project = queries.get_project(db, application.project_id)
            _authorise_reader(db, call, application)
            return showing.detail(db, application, project, rules.day_of(call.now))

    @command
    def check_in(self, call: Call) -> Reply:
        given = call.load(schemas.CheckIn())
        teacher_id, session_id = _as_teacher(call), given["session_id"]
        position = None if given["latitude"] is None else (given["latitude"], given["longitude"])

        def act(db: Any) -> Reply:
            refusal = attending.check_in(db, call, teacher_id, session_id, given["code"], position)
            return {"session_id": session_id, "checked_in": not refusal, "refusal": refusal}

        reply: Reply = self.database.commit_once(call, act, schemas.CheckedIn())
        return reply

    # --- the reviewers' ---

    @query
    def list_training_applications(self, call: Call) -> Reply:
        """Applications of the teachers who are at a place now: for the principal and the district."""
        asked = call.load(schemas.ListAt())
        place = asked.pop("place")
        call.authorise(place=place, missing=queries.NO_APPLICATION)
        with self.database.read(call) as db:
            return _page(db, call, asked, queries.of_teachers_at(place))

    @query
    def list_project_applications(self, call: Call) -> Reply:
        """Who has applied for a project and stands in it, by learner number: for the institution that holds it."""
        asked = call.load(schemas.ListOfProject())
        with self.database.read(call) as db:
            project = queries.get_project(db, asked["project_id"])
            classes.authorise_institution(call, project)
            page = _page(db, call, asked, queries.of_project(project.project_id))
            numbers = queries.learner_numbers(db, [uuid.UUID(each["teacher_id"]) for each in page["items"]])
        for each in page["items"]:
            each["learner_no"] = numbers.get(uuid.UUID(each["teacher_id"]), "")
        return page

    @command
    def pass_training_application(self, call: Call) -> Reply:
        given = call.load(schemas.PassOn())
        reply: Reply = self.database.commit_once(
            call, lambda db: reviewing.review(db, call, passed=True, **given), schemas.Application()
        )
        return reply

    @command
    def reject_training_application(self, call: Call) -> Reply:
        given = call.load(schemas.Reject())
        reply: Reply = self.database.commit_once(
            call, lambda db: reviewing.review(db, call, passed=False, **given), schemas.Application()
        )
        return reply

    # --- the institution's ---

    @query
    def get_training_class(self, call: Call) -> Reply:
        project_id = call.load(schemas.ProjectId())["project_id"]
        with self.database.read(call) as db:
            project = queries.get_project(db, project_id)
            classes.authorise_institution(call, project)
            return showing.held_class(db, project)

    @command
    def publish_class_notice(self, call: Call) -> Reply:
        """开班通知"""
        given = call.load(schemas.Notice())
        return self._commit_class(call, lambda db: classes.publish_notice(db, call, **given).project_id)

    @command
    def add_class_sessions(self, call: Call) -> Reply:
        """课程安排"""
        given = call.load(schemas.AddSessions())

        def act(db: Any) -> uuid.UUID:
            classes.add_sessions(db, call, given["project_id"], given["sessions"])
            project_id: uuid.UUID = given["project_id"]
            return project_id

        return self._commit_class(call, act)

    @command
    def remove_class_session(self, call: Call) -> Reply:
        session_id = call.load(schemas.SessionId())["session_id"]
        return self._commit_class(call, lambda db: classes.remove_session(db, call, session_id))

    @query
    def get_check_in_code(self, call: Call) -> Reply:
        """What to show on the wall until it changes."""
        session_id = call.load(schemas.SessionId())["session_id"]
        with self.database.read(call) as db:
            session = queries.get_session(db, session_id)
            project = queries.get_project(db, session.project_id)
            classes.authorise_institution(call, project, queries.NO_SESSION, "session_id")
            secret = queries.secret_of(db, session_id)
        shown = {"code": rules.check_in_code(secret, call.now), "changes_at": rules.code_changes_at(call.now)}
        return schemas.CheckInCode().dump({"session_id": session_id, **shown})

    @command
    def check_in_by_hand(self, call: Call) -> Reply:
        given = call.load(schemas.CheckInByHand())

        def act(db: Any) -> Reply:
            return {"session_id": given["session_id"], "registered": classes.check_in_by_hand(db, call, **given)}

        reply: Reply = self.database.commit_once(call, act, schemas.CheckedInByHand())
        return reply

    @command
    def grade_trainings(self, call: Call) -> Reply:
        """Enter results and their hours, each row by itself: one that is refused keeps its code and costs the others nothing."""
        results = [Result(**row) for row in call.load(schemas.GradeTrainings())["results"]]
        reply: Reply = self.database.commit_once(
            call, lambda db: {"rows": _grade_all(db, call, results)}, schemas.ResultsDone()
        )
        return reply

    # --- what other services announce ---

    @event_handler(PROJECT_CHANGED)
    def on_training_project_changed(self, db: Any, event: Any) -> None:
        keeping.keep_project(db, event.payload, clock.now())

    # --- shared ---

    def _commit_class(self, call: Call, act: Any) -> Reply:
        def whole(db: Any) -> Reply:
            return showing.held_class(db, queries.get_project(db, act(db)))

        reply: Reply = self.database.commit_once(call, whole)
        return reply


def _page(db: Any, call: Call, asked: Reply, where: Any) -> Reply:
    cursor, limit, today = asked.pop("cursor"), asked.pop("limit"), rules.day_of(call.now)
    found = queries.list_applications(db, where, Wanted(**asked), today, cursor, limit + 1)
    return page_of(
        found, limit, lambda row: showing.training(row.TrainingApplication, row.TrainingProject, today), _key
    )


def _as_teacher(call: Call) -> uuid.UUID:
    teacher_id = call.authorise_own()
    if call.actor.identity != TEACHER:
        raise NotAllowed("learning.teachers_only")
    return teacher_id


def _authorise_reader(db: Any, call: Call, application: TrainingApplication) -> None:
    """The teacher herself, whoever reviews for where she is now, or the institution. Raises NotFound."""
    for stage in ReviewStage:
        try:
            reviewing.require_reviewer(db, call, application, stage)
        except NotFound:
            continue
        return
    if application.teacher_id != call.actor.account_id:
        raise NotFound(queries.NO_APPLICATION, "application_id")
    call.authorise(subject=application.teacher_id, missing=queries.NO_APPLICATION, field="application_id")


def _grade_all(db: Any, call: Call, results: list[Result]) -> list[Reply]:
    done: dict[uuid.UUID, Reply] = {}
    # In one order, so that two lists never wait for each other's applications.
    for result in sorted(results, key=lambda each: each.application_id):
        done[result.application_id] = _grade(db, call, result)
    if all(row["code"] == queries.NO_APPLICATION for row in done.values()):
        raise NotFound(queries.NO_APPLICATION)
    return [done[result.application_id] for result in results]


def _grade(db: Any, call: Call, result: Result) -> Reply:
    try:
        with db.begin_nested():
            changed = classes.grade(db, call, result)
    except ServiceError as error:
        return {"application_id": result.application_id, "outcome": "REFUSED", "code": error.code}
    return {"application_id": result.application_id, "outcome": "CHANGED" if changed else "UNCHANGED", "code": ""}


def _key(row: Any) -> str:
    return str(row.TrainingApplication.application_id)
