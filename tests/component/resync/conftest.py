"""A small installation of all services after one season and one period of courses, its events delivered by hand, and ways to damage it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from services.catalog import season_file
from services.learning.models import Activity, ClosingMarker, QuizAnswer, Watched
from services.learning.study.actions import closing
from services.learning.study.actions.evidence import announce_progress
from services.shared import clock, migrations
from services.shared.actor import ANONYMOUS, Actor, Role, service_actor
from services.shared.bus import dispatch
from services.shared.bus.calls import BatchConsumer, EventHandler, marked_methods
from services.shared.keys import KeyRing
from services.shared.settings import SERVICES, Settings
from services.shared.tables import outbox
from tests.component.org.conftest import YUEXIU, new_school
from tests.component.resync.selling import sell_courses, sit_an_exam, train
from tests.conftest import Component, FixedClock, person
from yanxiu.client.captcha import solve
from yanxiu.journey.people import invent
from yanxiu.local import processes
from yanxiu.local.operator import Operator

CLI = service_actor("cli")
TEACHERS = 9
STUDYING = 8  # all but the one who was released before the season opened


class Installation:
    """Every service process over databases of its own, without a transport."""

    def __init__(self, settings: Settings, keyring: KeyRing, fixed: FixedClock) -> None:
        self.settings = settings
        self.clock = fixed
        self.operator = Operator(settings, keyring)
        self.process = {name: Component(self.operator.open(name)) for name in processes.SERVICE_PROCESSES}
        self._delivered: set[uuid.UUID] = set()

    def call(self, service: str, method: str, arguments: dict[str, Any], actor: Actor = CLI) -> Any:
        return self.process[service].call(method, arguments, actor)

    def deliver_all(self) -> None:
        """What relay and broker do: every event to every handler of its type, until nothing new is announced."""
        while fresh := [event for service in SERVICES for event in self._announced(service)]:
            self._delivered |= {event.id for event in fresh}
            for component in self.process.values():
                _deliver(component, fresh)

    def _announced(self, service: str) -> list[dispatch.Event]:
        with self.process[service].database.work() as db:
            rows = db.execute(outbox.select().order_by(outbox.c.position)).all()
        return [
            dispatch.Event(row.id, row.type, row.aggregate_id, row.occurred_at, row.payload)
            for row in rows
            if row.id not in self._delivered
        ]

    def sql(self, service: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator, whom no row security binds."""
        url = sa.make_url(self.settings.database_url).set(database=self.settings.database_name(service))
        with psycopg.connect(url.render_as_string(hide_password=False).replace("+psycopg", "")) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def rows(self, service: str, table: str, *but: str) -> list[dict[str, Any]]:
        """A whole table in a fixed order, without some columns."""
        found = [row for (row,) in self.sql(service, f"SELECT to_jsonb(t) FROM {table} t")]
        return sorted(({key: row[key] for key in row if key not in but} for row in found), key=str)

    def pass_markers(self) -> None:
        """What the ingest process does once every shard's queue has given its marker back."""
        with self.process["learning"].database.work() as db:
            markers = [closing.Marker(row.programme_id, row.shard) for row in db.scalars(sa.select(ClosingMarker))]
            closing.pass_markers(db, markers)
        self.deliver_all()


def _deliver(component: Component, events: list[dispatch.Event]) -> None:
    for method, marker in marked_methods(type(component.service), EventHandler).items():
        for event in events:
            if event.type in marker.types:
                dispatch.apply_event(component.database, component.service, method, event)
    for method, marker in marked_methods(type(component.service), BatchConsumer).items():
        messages = [dispatch.Message(str(event.id), event.to_wire()) for event in events if event.type in marker.types]
        dispatch.apply_batch(component.database, component.service, method, messages, events=True)


def play_season(installation: Installation) -> None:
    """Nine teachers from the roster to the close: one released, one still pending, and two guardians."""
    installation.clock.instant = clock.parse_instant("2022-11-20T10:00:00+08:00")
    installation.operator.load_divisions()
    installation.call("catalog", "publish_programme", season_file.read_shipped_season("2023-winter"))
    roster = [_roster_row(number) for number in range(TEACHERS)]
    imported = installation.call("identity", "import_people", {"rows": roster})["rows"]
    installation.deliver_all()
    teachers = [person(uuid.UUID(row["account_id"])) for row in imported]
    _join_school(installation, teachers)
    _register_guardians(installation)
    _merge_a_second_account(installation, teachers[3], roster[3]["id_no"])
    leaver = _wants_to_be_erased(installation, "13900000004")
    installation.deliver_all()
    installation.clock.instant += dt.timedelta(days=16)
    installation.process["identity"].service.erase_due(installation.clock.instant)
    assert installation.process["identity"].outbox("identity.person_erased")[-1]["account_id"] == str(leaver)
    installation.deliver_all()
    installation.clock.instant = clock.parse_instant("2023-01-10T10:00:00+08:00")
    _study(installation, teachers)
    installation.clock.instant = clock.parse_instant("2023-03-01T00:01:00+08:00")
    installation.process["catalog"].service.close_due_programmes(installation.clock.instant)
    installation.deliver_all()
    installation.pass_markers()
    sell_courses(installation, teachers[4], teachers[5])
    train(installation, teachers[4])
    sit_an_exam(installation, teachers[5])


def _roster_row(number: int) -> dict[str, Any]:
    one = invent(4711, number)
    row = {"name": one.name, "id_no": one.id_no, "phone": one.phone, "segment": "小学", "subject": "语文"}
    return {"row": number + 2, **row}


def _join_school(installation: Installation, teachers: list[Actor]) -> None:
    keeper = person(None, (Role.COUNTY_ADMIN, YUEXIU))
    school = installation.call("org", "create_school", new_school(), keeper)
    head = person(None, (Role.SCHOOL_ADMIN, school["place"]))
    policy = {"place": YUEXIU, "mode": "OPEN", "max_school_admins": 2, "profile_review": "NONE", "reason": "区里决定"}
    installation.call("org", "set_tenant_policy", policy, person(None, (Role.SUPER_ADMIN, YUEXIU)))
    for teacher, role in zip(teachers, ("SCHOOL_ADMIN", "PRINCIPAL"), strict=False):
        grant = {"account_id": str(teacher.account_id), "role": role, "place": school["place"]}
        installation.call("org", "bootstrap_grant", grant)
    for teacher in teachers:
        installation.call("org", "choose_school", {"school_id": school["school_id"]}, teacher)
    for teacher in teachers[:-1]:
        installation.call("org", "verify_membership", {"teacher_id": str(teacher.account_id)}, head)
    away = {"teacher_id": str(teachers[2].account_id), "status": "SICK_LEAVE", "reason": "病休"}
    installation.call("org", "archive_teacher", away, head)
    released = {"teacher_id": str(teachers[-2].account_id), "reason": "调离"}
    installation.deliver_all()
    installation.call("org", "release_membership", released, head)


def _register_guardians(installation: Installation) -> None:
    """One never fills in a profile; one does, and then becomes a teacher, a version of the account that nobody is told.

    Neither may look like a difference.
    """
    for phone in ("13900000001", "13900000002"):
        made = _registered(installation, phone)
    guardian = dataclasses.replace(person(made), identity="GUARDIAN")
    installation.call("identity", "update_profile", {"name": "王小明"}, guardian)
    installation.call("identity", "switch_identity", {"identity": "TEACHER"}, guardian)


def _study(installation: Installation, teachers: list[Actor]) -> None:
    [(programme_id,)] = installation.sql("learning", "SELECT programme_id FROM programme")
    placed = [teacher for teacher in teachers if teacher is not teachers[-2]]
    for teacher in placed:
        installation.call("learning", "enrol", {"programme_id": str(programme_id)}, teacher)
    installation.deliver_all()
    for _ in range(2):  # two announcements each, so that versions go beyond the first
        for teacher in placed:
            _watch_everything(installation, teacher)
        installation.deliver_all()


def _registered(installation: Installation, phone: str) -> uuid.UUID:
    captcha = solve(installation.call("identity", "issue_captcha", {}, ANONYMOUS)["challenge"])
    asking = {"phone": phone, "purpose": "REGISTER", "captcha": captcha}
    installation.call("identity", "request_sms_code", asking, ANONYMOUS)
    asked = {"phone": phone, "limit": 1}
    [message] = installation.call("identity", "list_development_messages", asked, ANONYMOUS)["items"]
    wanted = {"phone": phone, "sms_code": message["code"], "identity": "GUARDIAN"}
    made = installation.call("identity", "register_account", wanted, ANONYMOUS)
    return uuid.UUID(made["account"]["account_id"])


def _merge_a_second_account(installation: Installation, teacher: Actor, id_no: str) -> None:
    """One of the teachers had registered once more as a guardian, and support found out."""
    second = _registered(installation, "13900000003")
    document = {"id_type": "RESIDENT_ID", "id_no": id_no}
    sides = {"kept_id": str(teacher.account_id), "merged_id": str(second), "phone_of": "KEPT", "document_of": "KEPT"}
    proposal = {**sides, **document, "proof": "ORIGINAL", "reason": "两次注册"}
    until = installation.clock.instant + dt.timedelta(days=1)
    one, other = (dataclasses.replace(person(None, (Role.SUPPORT_AGENT, "CN")), elevated_until=until) for _ in range(2))
    proposed = installation.call("identity", "propose_merge", proposal, one)
    installation.call("identity", "approve_merge", {"merge_id": proposed["merge_id"], **document}, other)


def _wants_to_be_erased(installation: Installation, phone: str) -> uuid.UUID:
    account_id = _registered(installation, phone)
    guardian = dataclasses.replace(person(account_id), identity="GUARDIAN")
    installation.clock.instant += dt.timedelta(minutes=2)  # a phone may ask for a code once a minute
    installation.call("identity", "request_erasure_code", {}, guardian)
    asked = {"phone": phone, "limit": 1}
    [message] = installation.call("identity", "list_development_messages", asked, ANONYMOUS)["items"]
    installation.call("identity", "request_erasure", {"sms_code": message["code"]}, guardian)
    return account_id


def _watch_everything(installation: Installation, teacher: Actor) -> None:
    with installation.process["learning"].database.work() as db:
        activities = db.scalars(sa.select(Activity)).all()
        for activity in activities:
            whole = ((0, activity.seconds),)
            db.merge(
                Watched(teacher_id=teacher.account_id, activity_id=activity.activity_id, seen=whole, countable=whole)
            )
            for quiz in activity.quizzes:
                quiz_id = uuid.UUID(quiz["quiz_id"])
                key = {"teacher_id": teacher.account_id, "quiz_id": quiz_id, "activity_id": activity.activity_id}
                db.merge(QuizAnswer(**key, attempts=1, answered_at=clock.now()))
        db.flush()
        announce_progress(db, {(teacher.account_id, activity.course_id) for activity in activities})


@pytest.fixture(scope="module")
def installation(settings: Settings, keyring: KeyRing) -> Iterator[Installation]:
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_resync")
    fixed = FixedClock(clock.parse_instant("2022-11-20T10:00:00+08:00"))
    clock.install(fixed)
    with contextlib.ExitStack() as stack:
        stack.callback(clock.install, clock.SystemClock())
        stack.callback(migrations.drop_all, own)
        for service in SERVICES:
            migrations.migrate_service(own, keyring, service)
        made = Installation(own, keyring, fixed)
        stack.callback(made.operator.close)
        play_season(made)
        yield made
