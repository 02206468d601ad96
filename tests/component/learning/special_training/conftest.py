"""A city with two districts and a college, projects that the catalogue told, teachers, and everybody who reviews."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.learning.service import LearningService
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.ids import new_id
from tests.component.learning.selection.conftest import EVERYBODY
from tests.conftest import Component, FixedClock, person

CITY = "CN/440000/440100"
DISTRICT, NEIGHBOUR = f"{CITY}/440103", f"{CITY}/440104"
SCHOOL, OTHER_SCHOOL, FAR_SCHOOL = f"{DISTRICT}/s1", f"{DISTRICT}/s2", f"{NEIGHBOUR}/s3"
COLLEGE = f"{CITY}/college"
APPLYING, TRAINING, LAST_DAY = "2023-02-10T10:00:00+08:00", "2023-03-05T10:00:00+08:00", "2023-12-30T18:00:00+08:00"
STAGES = ("SCHOOL_REVIEW", "DISTRICT_REVIEW", "INSTITUTION_REVIEW")


class Campus:
    """Learning with what the catalogue and org would have told it."""

    def __init__(self, learning: Component, fixed: FixedClock) -> None:
        self.learning, self.clock = learning, fixed
        self.principal = person(None, (Role.PRINCIPAL, SCHOOL))
        self.district = person(None, (Role.COUNTY_ADMIN, DISTRICT))
        self.institution = person(None, (Role.TRAINING_INSTITUTION, COLLEGE))
        self.at(APPLYING)

    def at(self, instant: str) -> None:
        self.clock.instant = clock.parse_instant(instant)

    def call(self, method: str, arguments: dict[str, Any], actor: Actor) -> Any:
        return self.learning.call(method, arguments, actor)

    def project(self, project_id: str = "", version: int = 1, **terms: Any) -> dict[str, Any]:
        payload = {
            "project_id": project_id or str(new_id()),
            "version": version,
            "place_id": CITY,
            "shown_at": CITY,
            "title": "骨干教师专项培训",
            "level": "CITY",
            "project_type": "信息技术应用能力培训",
            "course_type": "FACE_TO_FACE",
            "funding": "财政经费",
            "hour_type": "PROFESSIONAL",
            "unit": "HOUR",
            "amount": "24.00",
            "subject": "小学语文",
            "institution_unit_id": str(new_id()),
            "institution_name": "教育学院",
            "institution_place": COLLEGE,
            "venue": "一号楼",
            "starts_on": "2023-03-01",
            "ends_on": "2023-12-30",
            "applies_from": clock.format_instant(clock.parse_instant("2023-02-01T00:00:00+08:00")),
            "applies_until": clock.format_instant(clock.parse_instant("2023-02-20T00:00:00+08:00")),
            "capacity": None,
            "audience": EVERYBODY,
            "conditions": "",
            "summary": "",
            "state": "PUBLISHED",
            **terms,
        }
        self.learning.deliver("on_training_project_changed", "catalog.training_project_changed", payload)
        return payload

    def withdraw(self, project: dict[str, Any]) -> None:
        self.project(**{**project, "version": project["version"] + 1, "state": "WITHDRAWN"})

    def teacher(self, place: str = SCHOOL, *, actor: Actor | None = None, version: int = 1, **facts: str) -> Actor:
        actor = actor or person()
        profile = {
            "account_id": str(actor.account_id),
            "version": version,
            "complete": True,
            "segment": facts.get("segment", "PRIMARY"),
            "subject": facts.get("subject", "语文"),
        }
        self.learning.deliver("on_profile_changed", "identity.profile_changed", profile)
        membership = {
            "teacher_id": str(actor.account_id),
            "version": version,
            "state": facts.get("state", "VERIFIED"),
            "school_id": str(uuid.uuid5(uuid.NAMESPACE_URL, place)) if place else None,
            "school_name": "东风小学",
            "place": place,
            "effective_at": clock.format_instant(self.clock.instant),
        }
        self.learning.deliver("on_membership_changed", "org.membership_changed", membership)
        return actor

    def grant(self, actor: Actor, role: Role, place: str) -> None:
        """Org tells of a grant."""
        payload = {"account_id": str(actor.account_id), "version": 1, "grants": [[str(role), place]]}
        self.learning.deliver("on_grants_changed", "org.grants_changed", payload)

    # --- the way of an application ---

    def apply(self, teacher: Actor, project: dict[str, Any], **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("apply_for_training", {"project_id": project["project_id"], **more}, teacher)
        return made

    def reviewer(self, stage: str) -> Actor:
        return dict(zip(STAGES, (self.principal, self.district, self.institution), strict=True))[stage]

    def passes(self, application: dict[str, Any], *stages: str, actor: Actor | None = None) -> dict[str, Any]:
        for stage in stages or STAGES:
            wanted = {"application_id": application["application_id"], "stage": stage}
            application = self.call("pass_training_application", wanted, actor or self.reviewer(stage))
        return application

    def rejects(self, application: dict[str, Any], stage: str, actor: Actor | None = None) -> dict[str, Any]:
        wanted = {"application_id": application["application_id"], "stage": stage, "reason": "不符合参训条件"}
        rejected: dict[str, Any] = self.call("reject_training_application", wanted, actor or self.reviewer(stage))
        return rejected

    def admitted(self, teacher: Actor, project: dict[str, Any]) -> dict[str, Any]:
        return self.passes(self.apply(teacher, project))

    def session(self, project: dict[str, Any], **terms: Any) -> dict[str, Any]:
        wanted = {
            "title": "第一讲",
            "lecturer": "李明",
            "starts_at": "2023-03-05T09:00:00+08:00",
            "ends_at": "2023-03-05T12:00:00+08:00",
            **terms,
        }
        asked = {"project_id": project["project_id"], "sessions": [wanted]}
        sessions = self.call("add_class_sessions", asked, self.institution)["sessions"]
        made: dict[str, Any] = next(each for each in sessions if each["title"] == wanted["title"])
        return made

    def code(self, session: dict[str, Any]) -> str:
        key = {"session_id": session["session_id"]}
        return str(self.call("get_check_in_code", key, self.institution)["code"])

    def check_in(self, teacher: Actor, session: dict[str, Any], code: str = "", **position: float) -> Any:
        wanted = {"session_id": session["session_id"], "code": code or self.code(session), **position}
        return self.call("check_in", wanted, teacher)

    def attending(self, teacher: Actor, project: dict[str, Any]) -> dict[str, Any]:
        """A teacher in the class, checked in at its first session."""
        application = self.admitted(teacher, project)
        back = self.clock.instant
        session = self.session(project, title=f"课 {new_id()}")
        self.at(TRAINING)
        assert self.check_in(teacher, session)["checked_in"]
        self.clock.instant = back
        return application

    def grade(
        self, application: dict[str, Any], *, passed: bool = True, reason: str = "", actor: Actor | None = None
    ) -> str:
        """The outcome of one row, or the code that refuses it."""
        row = {"application_id": application["application_id"], "passed": passed, "reason": reason}
        [done] = self.call("grade_trainings", {"results": [row]}, actor or self.institution)["rows"]
        return str(done["code"] or done["outcome"])

    # --- what came of it ---

    def told(self, event: str, **about: Any) -> list[dict[str, Any]]:
        return [each for each in self.learning.outbox(event) if about.items() <= each.items()]

    def state(self, application: dict[str, Any]) -> str:
        told = self.told("learning.training_changed", application_id=application["application_id"])
        return str(told[-1]["state"])

    def count(self, statement: str, **given: Any) -> int:
        with self.learning.database.work() as db:
            return db.scalar(sa.text(statement), given) or 0

    def audited(self, teacher: Actor) -> list[Any]:
        with self.learning.database.work() as db:
            rows = db.execute(
                sa.text("SELECT action, before, after, reason FROM audit WHERE subject = :subject ORDER BY id"),
                {"subject": teacher.account_id},
            )
            return list(rows)


@pytest.fixture
def campus(component: Any, fixed_clock: FixedClock) -> Campus:
    """It is a day on which applications are taken."""
    fixed_clock.instant = clock.parse_instant(APPLYING)
    return Campus(component(LearningService), fixed_clock)


def unknown() -> str:
    return str(uuid.uuid4())
