"""Exams over the real database, and the ways to cheat at them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.learning.exams.models import ExamAttempt, ExamQuestion
from services.shared import clock
from services.shared.actor import Actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from tests.component.learning.conftest import CLOSES, OPENS, Programme, World
from tests.component.learning.test_closing import close, let_settle, markers_of, send
from tests.component.learning.test_merged_persons import merge, undo

MINUTES = 60


@dataclasses.dataclass
class Exam:
    """A published exam of a programme: three single choices of five, one multiple choice, one true or false."""

    world: World
    programme: Programme
    payload: dict[str, Any]

    @property
    def exam_id(self) -> str:
        return self.payload["exam_id"]

    def right(self, question_id: str) -> list[str]:
        questions = [each for pool in self.payload["draw"] for each in pool["questions"]]
        return next(each["answers"] for each in questions if each["question_id"] == question_id)

    def start(self, actor: Actor, client_id: str = "device-one", **more: Any) -> Any:
        arguments = {"exam_id": self.exam_id, "client_id": client_id, **more}
        return self.world.learning.call("start_exam_attempt", arguments, actor)

    def save(self, actor: Actor, attempt: dict[str, Any], answers: dict[str, list[str]], **more: Any) -> Any:
        given = [{"question_id": key, "given": value} for key, value in answers.items()]
        arguments = {"attempt_id": attempt["attempt_id"], "fence": attempt["fence"], "answers": given, **more}
        return self.world.learning.call("save_exam_answers", arguments, actor)

    def submit(self, actor: Actor, attempt: dict[str, Any], command_id: str | None = None) -> Any:
        arguments = {"attempt_id": attempt["attempt_id"], "fence": attempt["fence"]}
        return self.world.learning.call("submit_exam_attempt", arguments, actor, command_id)

    def answer_all(self, actor: Actor, attempt: dict[str, Any], wrong: int = 0) -> None:
        """All right but the last `wrong` ones, which stay empty."""
        items = attempt["items"][: len(attempt["items"]) - wrong]
        self.save(actor, attempt, {item["question_id"]: self.right(item["question_id"]) for item in items})

    def sit(self, actor: Actor, wrong: int = 0) -> Any:
        attempt = self.start(actor)
        if wrong < len(attempt["items"]):
            self.answer_all(actor, attempt, wrong)
        return self.submit(actor, attempt)

    def show(self, actor: Actor) -> Any:
        arguments = {"programme_id": self.programme.programme_id}
        found = self.world.learning.call("list_exams", arguments, actor)["items"]
        return next(each for each in found if each["exam_id"] == self.exam_id)

    def judged(self, actor: Actor) -> list[dict[str, Any]]:
        announced = self.world.learning.outbox("learning.exam_judged")
        mine = (self.exam_id, str(actor.account_id))
        return [each for each in announced if (each["exam_id"], each["teacher_id"]) == mine]

    def sweep(self) -> None:
        self.world.learning.service.expire_exam_attempts(clock.now())


def question(kind: str, number: int) -> dict[str, Any]:
    options = ["正确", "错误"] if kind == "TRUE_FALSE" else [f"选项{letter}{number}" for letter in "甲乙丙丁"]
    return {
        "question_id": str(new_id()),
        "kind": kind,
        "prompt": f"第{number}题",
        "options": options,
        "answers": options[:2] if kind == "MULTIPLE" else options[1:2],
        "analysis": f"解析{number}",
    }


def publish(world: World, programme: Programme, **terms: Any) -> Exam:
    payload = {
        "exam_id": str(new_id()),
        "programme_id": programme.programme_id,
        "course_id": None,
        "version": 1,
        "key": "final",
        "titles": {"zh": "结业考试", "en": "Final exam"},
        "opens_at": OPENS.isoformat(),
        "closes_at": CLOSES.isoformat(),
        "minutes": MINUTES,
        "attempts": 3,
        "pass_mark": 60,
        "after": [],
        "draw": [
            {"count": 3, "points": 20, "questions": [question("SINGLE", number) for number in range(5)]},
            {"count": 1, "points": 20, "questions": [question("MULTIPLE", 10)]},
            {"count": 1, "points": 20, "questions": [question("TRUE_FALSE", 20)]},
        ],
        **terms,
    }
    world.learning.deliver("on_exam_published", "catalog.exam_published", payload)
    return Exam(world, programme, payload)


@pytest.fixture
def exam(world: World) -> Exam:
    return publish(world, world.publish_programme())


@pytest.fixture
def teacher(world: World, exam: Exam) -> Actor:
    return world.enrolled(exam.programme)


def refused(code: str, act: Any, kind: type[ServiceError] = Conflict) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


# --- the ordinary way -----------------------------------------------------------------------------------------------------


def test_an_exam_from_the_start_to_its_result(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    assert (attempt["number"], attempt["state"], attempt["remaining_seconds"]) == (1, "OPEN", MINUTES * 60)
    assert len(attempt["items"]) == 5
    exam.answer_all(teacher, attempt, wrong=1)
    ended = exam.submit(teacher, attempt)
    assert (ended["state"], ended["score"], ended["passed"]) == ("SUBMITTED", "80.00", True)
    [told] = exam.judged(teacher)
    assert (told["score"], told["passed"], told["version"], told["course_id"]) == ("80.00", True, 1, None)
    shown = exam.show(teacher)
    assert (shown["score"], shown["passed"], shown["attempts_used"], shown["reasons"]) == ("80.00", True, 1, [])


def test_an_attempt_looks_the_same_whenever_it_is_shown(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    again = world.learning.call("get_exam_attempt", {"attempt_id": attempt["attempt_id"]}, teacher)
    assert again["items"] == attempt["items"]
    assert exam.start(teacher)["attempt_id"] == attempt["attempt_id"]


def test_the_best_result_counts_and_a_worse_one_takes_nothing_away(exam: Exam, teacher: Actor) -> None:
    assert [exam.sit(teacher, wrong)["score"] for wrong in (3, 0, 5)] == ["40.00", "100.00", "0.00"]
    assert [(told["score"], told["passed"], told["version"]) for told in exam.judged(teacher)] == [
        ("40.00", False, 1),
        ("100.00", True, 2),
        ("100.00", True, 3),
    ]


def test_answers_are_kept_as_they_are_given_and_a_later_one_replaces_the_earlier(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    first = attempt["items"][0]
    exam.save(teacher, attempt, {first["question_id"]: first["options"][:1]})
    exam.save(teacher, attempt, {first["question_id"]: first["options"][1:2]})
    assert exam.start(teacher)["items"][0]["given"] == first["options"][1:2]
    assert exam.save(teacher, attempt, {first["question_id"]: []})["answered"] == 0


def test_an_attempt_that_nobody_handed_in_is_judged_by_what_was_saved(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    exam.answer_all(teacher, attempt, wrong=2)
    world.wait(MINUTES * 60 - 1)
    exam.sweep()
    assert exam.judged(teacher) == []
    world.wait(1)
    shown = world.learning.call("get_exam_attempt", {"attempt_id": attempt["attempt_id"]}, teacher)
    assert (shown["state"], shown["score"]) == ("EXPIRED", None)
    exam.sweep()
    exam.sweep()
    assert [told["score"] for told in exam.judged(teacher)] == ["60.00"]
    shown = world.learning.call("get_exam_attempt", {"attempt_id": attempt["attempt_id"]}, teacher)
    assert (shown["state"], shown["passed"], shown["ended_at"]) == ("EXPIRED", True, attempt["deadline_at"])


def test_the_next_attempt_ends_an_overdue_one_without_waiting_for_the_sweeper(
    exam: Exam, teacher: Actor, world: World
) -> None:
    exam.answer_all(teacher, exam.start(teacher))
    world.wait(MINUTES * 60)
    assert exam.start(teacher)["number"] == 2
    assert [told["score"] for told in exam.judged(teacher)] == ["100.00"]


def test_the_exam_waits_for_the_study_that_it_is_about(world: World) -> None:
    programme = world.publish_programme()
    course = programme.course_id("free")
    exam = publish(world, programme, after=[{"course_id": course, "seconds": 2700}])
    teacher = world.enrolled(programme)
    refused("learning.exam_study_first", lambda: exam.start(teacher))
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    for seq, begin in enumerate(range(0, 2400, 600), 1):
        world.play(opened, seq, begin, begin + 600)
    [condition] = exam.show(teacher)["after"]
    # Not a second of a video that is not watched to its end.
    assert (condition["watched_seconds"], condition["missing_seconds"]) == (0, 2700)
    assert exam.show(teacher)["reasons"] == ["learning.exam_study_first"]
    world.play(opened, 9, 2400, 2700)
    assert exam.show(teacher)["reasons"] == []
    assert exam.start(teacher)["state"] == "OPEN"


def test_marks_and_analyses_are_told_when_no_attempt_can_follow_and_answers_never(
    exam: Exam, teacher: Actor, world: World
) -> None:
    first = exam.sit(teacher, 1)
    assert {(item["right"], item["analysis"]) for item in first["items"]} == {(None, None)}
    exam.sit(teacher, 1)
    last = exam.sit(teacher, 1)
    assert [item["right"] for item in last["items"]] == [True] * 4 + [False]
    assert all(item["analysis"] for item in last["items"])
    again = world.learning.call("get_exam_attempt", {"attempt_id": first["attempt_id"]}, teacher)
    assert again["items"][0]["analysis"]
    assert "answers" not in json.dumps([first, last, again, exam.show(teacher)])


def test_a_changed_exam_leaves_the_attempts_that_have_begun(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    newer = [{"count": 1, "points": 100, "questions": [question("SINGLE", 99)]}]
    changed = {**exam.payload, "version": 2, "draw": newer}
    world.learning.deliver("on_exam_published", "catalog.exam_published", changed)
    world.learning.deliver("on_exam_published", "catalog.exam_published", exam.payload)  # late: no news
    exam.answer_all(teacher, attempt)
    assert exam.submit(teacher, attempt)["score"] == "100.00"
    assert len(exam.start(teacher)["items"]) == 1


def test_the_close_waits_until_every_attempt_is_judged(world: World) -> None:
    programme = world.publish_programme()
    exam, teacher = publish(world, programme), world.enrolled(programme)
    world.clock.instant = CLOSES - dt.timedelta(minutes=10)
    attempt = exam.start(teacher)
    assert attempt["deadline_at"] == clock.format_instant(CLOSES)
    exam.answer_all(teacher, attempt)
    world.clock.instant = CLOSES
    close(world, programme)
    let_settle(world)
    send(world)
    assert markers_of(world, programme) == []
    exam.sweep()
    send(world)
    world.record(*markers_of(world, programme))
    [closed] = [
        each
        for each in world.learning.outbox("learning.study_closed")
        if each["programme_id"] == programme.programme_id
    ]
    assert (closed["exam_results"], closed["exam_version_sum"]) == (1, 1)
    refused("learning.exam_closed", lambda: exam.start(teacher))


def test_the_result_goes_with_the_person_when_accounts_are_merged(world: World, exam: Exam) -> None:
    kept, former = world.enrolled(exam.programme), world.enrolled(exam.programme)
    exam.sit(kept, 3)
    exam.sit(former, 0)
    merge(world, kept, former)
    assert (exam.judged(kept)[-1]["score"], exam.judged(former)[-1]["score"]) == ("100.00", None)
    # And the attempts of both are the person's: two of three are gone.
    assert exam.show(kept)["attempts_used"] == 2
    exam.sit(kept, 5)
    refused("learning.exam_attempts_used", lambda: exam.start(kept))
    undo(world, kept, former)
    assert (exam.judged(kept)[-1]["score"], exam.judged(former)[-1]["score"]) == ("40.00", "100.00")


# --- cheating -------------------------------------------------------------------------------------------------------------


def test_a_second_device_gets_the_one_attempt_or_nothing(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    refused("learning.exam_elsewhere", lambda: exam.start(teacher, "device-two"))
    taken = exam.start(teacher, "device-two", take_over=True)
    assert (taken["attempt_id"], taken["fence"], taken["number"]) == (attempt["attempt_id"], 2, 1)
    # Whoever still sits at the first device neither answers nor hands in.
    refused("learning.exam_elsewhere", lambda: exam.answer_all(teacher, attempt))
    refused("learning.exam_elsewhere", lambda: exam.submit(teacher, attempt))
    exam.answer_all(teacher, taken)
    assert exam.submit(teacher, taken)["score"] == "100.00"


def test_two_attempts_at_once_are_one(exam: Exam, teacher: Actor) -> None:
    found: list[Any] = []

    def begin(number: int) -> None:
        try:
            found.append(exam.start(teacher, f"device-{number}")["attempt_id"])
        except Conflict as refusal:
            found.append(refusal.code)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("learning.exam_elsewhere") == 5
    assert exam.show(teacher)["attempts_used"] == 1


def test_the_database_itself_refuses_a_second_open_attempt(exam: Exam, teacher: Actor, world: World) -> None:
    """The sabotage twin: past every rule, the row does not go in."""
    attempt = exam.start(teacher)
    with world.learning.database.work() as db:
        row = db.scalars(sa.select(ExamAttempt).where(ExamAttempt.attempt_id == attempt["attempt_id"])).one()
        values = {column.name: getattr(row, column.name) for column in ExamAttempt.__table__.columns}
    second = sa.insert(ExamAttempt).values({**values, "attempt_id": new_id(), "number": 2})
    with pytest.raises(DBAPIError, match="one_open_attempt"), world.learning.database.work() as db:
        db.execute(second)


def test_answers_after_the_time_are_refused_by_the_servers_clock(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    world.wait(MINUTES * 60 - 0.001)
    exam.answer_all(teacher, attempt, wrong=3)
    world.wait(0.001)
    refused("learning.attempt_over", lambda: exam.answer_all(teacher, attempt))
    refused("learning.attempt_over", lambda: exam.submit(teacher, attempt))
    exam.sweep()
    refused("learning.attempt_ended", lambda: exam.answer_all(teacher, attempt))
    assert [told["score"] for told in exam.judged(teacher)] == ["40.00"]


def test_the_database_itself_refuses_an_answer_after_the_time(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    late = clock.parse_instant(attempt["deadline_at"])
    saved_late = sa.update(ExamAttempt).where(ExamAttempt.attempt_id == attempt["attempt_id"]).values(saved_at=late)
    with pytest.raises(DBAPIError, match="within_its_time"), world.learning.database.work() as db:
        db.execute(saved_late)


def test_taking_over_buys_no_time(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    world.wait(1800)
    taken = exam.start(teacher, "device-two", take_over=True)
    assert (taken["deadline_at"], taken["remaining_seconds"]) == (attempt["deadline_at"], 1800)


def test_questions_that_were_not_drawn_take_no_answer(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    drawn = {item["question_id"] for item in attempt["items"]}
    left = next(each for each in exam.payload["draw"][0]["questions"] if each["question_id"] not in drawn)
    for question_id in (left["question_id"], str(new_id())):
        refused("learning.question_not_drawn", lambda key=question_id: exam.save(teacher, attempt, {key: []}), NotFound)
    assert exam.submit(teacher, attempt)["score"] == "0.00"


def test_a_bad_answer_among_good_ones_keeps_none_of_them(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    first, second = attempt["items"][:2]
    both = {first["question_id"]: exam.right(first["question_id"]), second["question_id"]: ["不存在"]}
    refused("learning.option_unknown", lambda: exam.save(teacher, attempt, both), InvalidInput)
    assert exam.start(teacher)["answered"] == 0


def test_every_option_at_once_is_no_answer(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    single = next(item for item in attempt["items"] if item["kind"] == "SINGLE")
    all_of_it = {single["question_id"]: single["options"]}
    refused("learning.one_answer_only", lambda: exam.save(teacher, attempt, all_of_it), InvalidInput)
    multiple = next(item for item in attempt["items"] if item["kind"] == "MULTIPLE")
    exam.save(teacher, attempt, {multiple["question_id"]: multiple["options"]})
    assert exam.submit(teacher, attempt)["score"] == "0.00"


def test_a_submission_played_again_changes_nothing(exam: Exam, teacher: Actor) -> None:
    attempt = exam.start(teacher)
    exam.answer_all(teacher, attempt, wrong=4)
    key = str(new_id())
    first = exam.submit(teacher, attempt, key)
    assert exam.submit(teacher, attempt, key) == first  # the same command: the first reply
    refused("learning.attempt_ended", lambda: exam.submit(teacher, attempt))
    refused("learning.attempt_ended", lambda: exam.answer_all(teacher, attempt))
    assert len(exam.judged(teacher)) == 1


def test_attempts_end_with_the_limit(exam: Exam, teacher: Actor) -> None:
    for _ in range(3):
        exam.sit(teacher, 5)
    refused("learning.exam_attempts_used", lambda: exam.start(teacher))


def test_somebody_elses_attempt_is_unknown(exam: Exam, teacher: Actor, world: World) -> None:
    attempt = exam.start(teacher)
    other = world.enrolled(exam.programme)
    refused("learning.attempt_unknown", lambda: exam.answer_all(other, attempt), NotFound)
    refused("learning.attempt_unknown", lambda: exam.submit(other, attempt), NotFound)
    asked = {"attempt_id": attempt["attempt_id"]}
    refused("learning.attempt_unknown", lambda: world.learning.call("get_exam_attempt", asked, other), NotFound)


def test_row_security_shows_no_question_that_was_not_drawn_for_the_caller(
    exam: Exam, teacher: Actor, world: World
) -> None:
    exam.start(teacher)
    stranger = world.enrolled(exam.programme)
    counts = []
    for actor in (teacher, stranger):
        call = _call(actor)
        with world.learning.database.read(call) as db:
            counts.append(db.scalar(sa.select(sa.func.count()).select_from(ExamQuestion)))
    assert counts == [5, 0]


def _call(actor: Actor) -> Any:
    from services.shared.bus import Call
    from services.shared.policy import own

    return Call("learning", "list_exams", {}, actor, own(), deadline=time.monotonic() + 60)


def test_nobody_sits_an_exam_who_is_not_enrolled_or_no_teacher(exam: Exam, teacher: Actor, world: World) -> None:
    refused("learning.not_enrolled", lambda: exam.start(world.teacher()))
    student = dataclasses.replace(teacher, identity="STUDENT")
    refused("learning.teachers_only", lambda: exam.start(student), NotAllowed)
