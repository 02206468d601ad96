"""Schools, teachers and staff pushed about at random: whatever is accepted, everything still fits together."""

from __future__ import annotations

import contextlib
import os
import random
import uuid
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from services.org.contract import MEMBERSHIP_CHANGED
from services.org.contract.units import SCHOOL_CHANGED
from services.org.units.actions import members
from services.shared.actor import Actor, Role
from services.shared.errors import ServiceError
from tests.component.org.conftest import CLI, Org
from tests.component.org.test_school_editing import code_of

pytestmark = pytest.mark.postgres

COUNTIES = ("440104", "440105")
# What is possible only after something else happened comes more often than what ends a school.
OFTEN = {"do_choose": 6, "do_verify": 6, "do_merge": 4, "do_reopen": 4, "do_move": 3, "do_resume": 2}
# The short run is the same each time; YANXIU_WALKS=100 explores.
SEEDS = range(int(os.environ.get("YANXIU_WALKS", "2")))
STEPS = 100
TYPES = ("PRIMARY", "NINE_YEAR", "KINDERGARTEN")


class Walk:
    """A few schools and teachers, one operator who asks and one who decides."""

    def __init__(self, org: Org, seed: int) -> None:
        self.org, self.chance = org, random.Random(seed)
        self.operator, self.decider = (org.person(None, (Role.NATIONAL_OPERATOR, "CN")) for _ in range(2))
        self.schools = [org.school(self.chance.choice(COUNTIES), code=code_of())["school_id"] for _ in range(5)]
        self.teachers = [org.person() for _ in range(8)]
        self.done: Counter[str] = Counter()
        acts = [each for each in dir(self) if each.startswith("do_")]
        self.acts = [each for each in acts for _ in range(OFTEN.get(each, 1))]
        for teacher in self.teachers:
            org.call("choose_school", {"school_id": self.chance.choice(self.schools)}, teacher)

    def step(self) -> None:
        name = self.chance.choice(self.acts)
        with contextlib.suppress(ServiceError):
            getattr(self, name)()
            self.done[name] += 1

    def school(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.org.component.call("get_school", {"school_id": self.chance.choice(self.schools)})
        return shown

    def teacher(self) -> Actor:
        return self.chance.choice(self.teachers)

    def act(self, method: str, actor: Actor | None = None, **more: Any) -> Any:
        school = self.school()
        arguments = {"school_id": school["school_id"], "version": school["version"], "reason": "随机", **more}
        return self.org.call(method, arguments, actor or self.operator)

    def admin_of_membership(self, teacher: Actor) -> Actor:
        membership = self.org.call("get_own_membership", {}, teacher)
        return self.org.person(None, (Role.SCHOOL_ADMIN, membership["place"]))

    # --- what may happen ---

    def do_choose(self) -> None:
        self.org.call("choose_school", {"school_id": self.chance.choice(self.schools)}, self.teacher())

    def do_verify(self) -> None:
        teacher = self.teacher()
        self.org.call("verify_membership", {"teacher_id": str(teacher.account_id)}, self.admin_of_membership(teacher))

    def do_release(self) -> None:
        teacher = self.teacher()
        arguments = {"teacher_id": str(teacher.account_id), "reason": "随机"}
        self.org.call("release_membership", arguments, self.admin_of_membership(teacher))

    def do_archive(self) -> None:
        teacher = self.teacher()
        arguments = {"teacher_id": str(teacher.account_id), "status": "RETIRED", "reason": "随机"}
        self.org.call("archive_teacher", arguments, self.admin_of_membership(teacher))

    def do_appoint(self) -> None:
        role = self.chance.choice((Role.SCHOOL_ADMIN, Role.PRINCIPAL))
        place = self.school()["place"]
        self.org.holder(role, place)

    def do_rename(self) -> None:
        school = self.school()
        arguments = {
            "school_id": school["school_id"],
            "version": school["version"],
            "name": f"改{uuid.uuid4().hex[:6]}",
        }
        self.org.call("edit_school", arguments, self.operator)

    def do_change_kind(self) -> None:
        school = self.school()
        type_ = self.chance.choice(TYPES)
        kind = {"PRIMARY": "21", "NINE_YEAR": "31", "KINDERGARTEN": "11"}[type_]
        code = self.chance.choice([None, code_of(kind)])
        arguments = {"school_id": school["school_id"], "version": school["version"], "school_type": type_, "code": code}
        self.org.call("edit_school", arguments, self.operator)

    def do_correct_code(self) -> None:
        self.act("correct_school_code", code=code_of(self.chance.choice(("21", "31", "11"))))

    def do_suspend(self) -> None:
        self.act("suspend_school")

    def do_resume(self) -> None:
        self.act("resume_school")

    def do_merge(self) -> None:
        keep = self.chance.choice(("MERGED", "SURVIVING"))
        self.act("merge_school", into=self.chance.choice(self.schools), keep_code_of=keep)

    def do_close(self) -> None:
        self.act("close_school")

    def do_reopen(self) -> None:
        self.act("reopen_school")

    def do_move(self) -> None:
        arguments = {"school_id": self.chance.choice(self.schools), "division_code": self.chance.choice(COUNTIES)}
        asked = self.org.call("request_school_move", {**arguments, "reason": "随机"}, self.operator)
        method = self.chance.choice(("execute_school_move", "execute_school_move", "reject_school_move"))
        self.org.call(method, {"move_id": asked["move_id"], "reason": "随机"}, self.decider)


def rows(org: Org, statement: str, **values: Any) -> list[Any]:
    with org.component.database.work() as db:
        return list(db.execute(sa.text(statement), values))


def assert_everything_fits(walk: Walk) -> None:
    org, ids = walk.org, [uuid.UUID(each) for each in walk.schools]
    of_schools = {"ids": ids}
    # A school stands where its place says, and so does its contact.
    assert not rows(
        org,
        "SELECT 1 FROM school s JOIN division d ON d.code = s.division_code JOIN school_contact c USING (school_id)"
        " WHERE school_id = ANY(:ids) AND (s.parent <> d.place OR c.place <> s.place"
        " OR s.place <> s.parent || '/s' || replace(s.school_id::text, '-', ''))",
        **of_schools,
    )
    # Whoever waits at or belongs to a school is at one that lives, where it stands, with one open stay that says so.
    assert not rows(
        org,
        "SELECT 1 FROM membership m JOIN school s USING (school_id) LEFT JOIN membership_period p"
        " ON p.teacher_id = m.teacher_id AND p.closed_at IS NULL WHERE s.school_id = ANY(:ids)"
        " AND m.state IN ('PENDING', 'VERIFIED') AND (s.state NOT IN ('ACTIVE', 'SUSPENDED') OR m.place <> s.place"
        " OR p.period_id IS NULL OR p.school_id <> m.school_id OR p.place <> m.place"
        " OR (m.state = 'VERIFIED') <> (p.verified_at IS NOT NULL))",
        **of_schools,
    )
    # Nobody else has an open stay.
    assert not rows(
        org,
        "SELECT 1 FROM membership m JOIN membership_period p USING (teacher_id) WHERE m.school_id = ANY(:ids)"
        " AND m.state IN ('REJECTED', 'RELEASED') AND p.closed_at IS NULL",
        **of_schools,
    )
    # Stays of one teacher follow each other without overlap.
    assert not rows(
        org,
        "SELECT 1 FROM membership_period a JOIN membership_period b USING (teacher_id)"
        " WHERE a.teacher_id = ANY(:teachers) AND a.period_id < b.period_id AND a.opened_at < coalesce(b.closed_at,"
        " 'infinity') AND b.opened_at < coalesce(a.closed_at, 'infinity')",
        teachers=[teacher.account_id for teacher in walk.teachers],
    )
    # What a school carries is what the register of codes says, and an ended one carries none.
    assert not rows(
        org,
        "SELECT 1 FROM school s LEFT JOIN school_code c ON c.school_id = s.school_id AND c.void_at IS NULL"
        " WHERE s.school_id = ANY(:ids) AND (s.code IS DISTINCT FROM c.code"
        " OR (s.state IN ('MERGED', 'CLOSED') AND s.code IS NOT NULL))",
        **of_schools,
    )
    # Staff is where a living school stands, and nowhere else.
    stand = dict(rows(org, "SELECT place, state FROM school WHERE school_id = ANY(:ids)", **of_schools))
    held = rows(
        org,
        "SELECT place FROM admin_grant WHERE state = 'ACTIVE' AND right(place, 32) = ANY(:hexes)",
        hexes=[each.hex for each in ids],
    )
    assert all(stand.get(place) in ("ACTIVE", "SUSPENDED") for (place,) in held)
    seats = rows(
        org, "SELECT place, standing FROM admin_seat WHERE right(place, 32) = ANY(:hexes)", hexes=[i.hex for i in ids]
    )
    assert dict(seats) == {place: state in ("ACTIVE", "SUSPENDED") for place, state in stand.items()}
    # Former places follow each other up to now.
    assert not rows(
        org,
        "SELECT 1 FROM (SELECT school_id, from_at, lag(until_at) OVER (PARTITION BY school_id ORDER BY until_at) AS before"
        " FROM school_former_place WHERE school_id = ANY(:ids)) AS stays WHERE before IS NOT NULL AND before <> from_at",
        **of_schools,
    )


def assert_everybody_was_told(walk: Walk) -> None:
    """The last event of each teacher and school says what is true, and versions have no gap."""
    org = walk.org
    told: dict[str, list[dict[str, Any]]] = {}
    for payload in org.announced(MEMBERSHIP_CHANGED):
        told.setdefault(payload["teacher_id"], []).append(payload)
    for teacher in walk.teachers:
        events = told.get(str(teacher.account_id), [])
        assert [event["version"] for event in events] == list(range(1, len(events) + 1))
        if events:
            now = org.call("get_own_membership", {}, teacher)
            released = now["state"] == "RELEASED"
            expected = ("RELEASED", "", "") if released else (now["state"], now["place"], now["school_name"])
            assert (events[-1]["state"], events[-1]["place"], events[-1]["school_name"]) == expected
    for school_id in walk.schools:
        events = org.announced(SCHOOL_CHANGED, school_id=school_id)
        shown = org.component.call("get_school", {"school_id": school_id})
        assert [event["version"] for event in events] == list(range(1, shown["version"] + 1))
        for name in ("name", "place", "state", "code", "merged_into", "school_type"):
            assert events[-1][name] == shown[name]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_accepted_everything_fits(org: Org, seed: int) -> None:
    walk = Walk(org, seed)
    for step in range(STEPS):
        walk.step()
        if step % 20 == 0:
            assert_everything_fits(walk)
    assert_everything_fits(walk)
    assert_everybody_was_told(walk)
    # A walk on which hardly anything was possible would show nothing.
    assert len(walk.done) >= 7, walk.done
    assert org.call("reconcile_staff_counts", {"limit": 500}, CLI)["differences"] == []


def test_sabotage_a_school_that_moves_without_its_teachers_is_noticed(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "follow_school", lambda *_: 0)
    walk = Walk(org, 1)
    assert_everything_fits(walk)
    school = org.call("get_own_membership", {}, walk.teachers[0])["school_id"]
    here = org.component.call("get_school", {"school_id": school})["division_code"]
    there = next(code for code in COUNTIES if code != here)
    arguments = {"school_id": school, "division_code": there, "reason": "破坏"}
    asked = org.call("request_school_move", arguments, walk.operator)
    org.call("execute_school_move", {"move_id": asked["move_id"], "reason": "破坏"}, walk.decider)
    with pytest.raises(AssertionError):
        assert_everything_fits(walk)
