"""Study tools over the real database: who sees what, what the tutor may, and that search finds just that."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from services.learning.tools import rules
from services.learning.tools.models import CourseText
from services.shared import audit
from services.shared.actor import Actor, Role
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.ids import new_id
from services.shared.policy import own
from tests.component.learning.conftest import Programme, World
from tests.conftest import person

CITY = "CN/350000/350300"


class Room:
    """A course of a programme that Putian organises, two who are enrolled, and the tutor."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.programme: Programme = world.publish_programme(place=CITY)
        self.course = self.programme.course_id("free")
        self.video = self.programme.activity_id("free", "v1")
        self.anna, self.bao = world.enrolled(self.programme), world.enrolled(self.programme)
        self.tutor = person(None, (Role.CITY_CENTRE, CITY))
        self.elsewhere = person(None, (Role.CITY_CENTRE, "CN/350000/350200"))

    def call(self, method: str, actor: Actor, command_id: str | None = None, **arguments: Any) -> Any:
        return self.world.learning.call(method, arguments, actor, command_id)

    def note(self, actor: Actor, text: str = "以学定教", **more: Any) -> Any:
        return self.call("write_note", actor, course_id=self.course, text=text, **more)

    def ask(self, actor: Actor, text: str = "怎样设计分层作业？") -> Any:
        return self.call("ask_tutor", actor, course_id=self.course, text=text)

    def texts(self, method: str, actor: Actor, **more: Any) -> list[str]:
        return [each["text"] for each in self.call(method, actor, course_id=self.course, **more)["items"]]

    def found(self, actor: Actor, words: str) -> list[str]:
        return self.texts("search_course", actor, words=words)


@pytest.fixture
def room(world: World) -> Room:
    return Room(world)


def refused(code: str, kind: type[Exception], act: Any) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code  # type: ignore[attr-defined]


# --- notes and bookmarks --------------------------------------------------------------------------------------------------


def test_a_note_is_its_authors_until_it_is_shared(room: Room) -> None:
    note = room.note(room.anna, activity_id=room.video, at_seconds=600)
    assert (note["visibility"], note["is_own"], note["at_seconds"]) == ("OWN", True, 600)
    for reader in (room.bao, room.tutor):
        assert room.texts("list_notes", reader, whose="SHARED") == []
        assert room.found(reader, "以学") == []
    room.call("edit_note", room.anna, text_id=note["text_id"], text="以学定教，先学后教", shared=True)
    assert room.texts("list_notes", room.bao, whose="SHARED") == ["以学定教，先学后教"]
    assert room.found(room.bao, "先学") == ["以学定教，先学后教"]
    [shown] = room.call("list_notes", room.bao, course_id=room.course, whose="SHARED")["items"]
    assert not shown["is_own"]
    assert str(room.anna.account_id) not in str(shown)
    room.call("edit_note", room.anna, text_id=note["text_id"], text="又收回了", shared=False)
    assert room.texts("list_notes", room.bao, whose="SHARED") == room.found(room.bao, "又收") == []
    assert room.found(room.anna, "又收") == ["又收回了"]
    room.call("delete_note", room.anna, text_id=note["text_id"])
    assert room.texts("list_notes", room.anna) == []


def test_nobody_touches_somebody_elses_note(room: Room) -> None:
    note = room.note(room.anna, shared=True)
    for other in (room.bao, room.tutor):
        change = {"text_id": note["text_id"], "text": "改", "shared": False}
        with pytest.raises((NotFound, NotAllowed)):
            room.call("edit_note", other, **change)
        with pytest.raises((NotFound, NotAllowed)):
            room.call("delete_note", other, text_id=note["text_id"])
    assert room.texts("list_notes", room.anna) == ["以学定教"]


def test_whoever_is_not_enrolled_finds_no_course(room: Room, world: World) -> None:
    room.note(room.anna, shared=True)
    for stranger in (world.teacher(), room.elsewhere):
        for method, more in (("list_notes", {"whose": "SHARED"}), ("search_course", {"words": "以学"})):
            asked = {"course_id": room.course, **more}
            refused("learning.course_unknown", NotFound, lambda m=method, a=asked, s=stranger: room.call(m, s, **a))


def test_positions_lie_inside_a_video_of_the_course(room: Room) -> None:
    refused(
        "learning.position_outside", InvalidInput, lambda: room.note(room.anna, activity_id=room.video, at_seconds=2701)
    )
    refused("learning.position_outside", InvalidInput, lambda: room.note(room.anna, at_seconds=1))
    other = room.programme.activity_id("gated", "v1")
    refused("learning.activity_unknown", NotFound, lambda: room.note(room.anna, activity_id=other))


@pytest.mark.parametrize("text", ["", "   \n", "零\u0000", "向\u202e左", "长" * (rules.TEXT_LENGTH + 1)])
def test_a_text_that_is_none_is_refused(room: Room, text: str) -> None:
    refused("shared.invalid", InvalidInput, lambda: room.note(room.anna, text))


def test_markup_stays_the_characters_that_it_is(room: Room) -> None:
    text = '<script>alert("1")</script>'
    assert room.note(room.anna, text)["text"] == text


def test_limits_hold(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.LIMITS, rules.Kind.NOTE, 2)
    monkeypatch.setattr(rules, "BOOKMARKS_PER_COURSE", 1)
    for _ in range(2):
        room.note(room.anna)
    refused("learning.too_many_texts", LimitReached, lambda: room.note(room.anna))
    room.note(room.bao)  # a limit is one person's
    mark = {"activity_id": room.video, "at_seconds": 5}
    room.call("add_bookmark", room.anna, **mark)
    refused("learning.too_many_bookmarks", LimitReached, lambda: room.call("add_bookmark", room.anna, **mark))


def test_a_repeated_command_writes_once(room: Room) -> None:
    key = str(new_id())
    asked = {"course_id": room.course, "text": "只写一次"}
    assert room.call("write_note", room.anna, key, **asked) == room.call("write_note", room.anna, key, **asked)
    assert room.texts("list_notes", room.anna) == ["只写一次"]


def test_bookmarks_are_kept_listed_and_removed(room: Room) -> None:
    made = [
        room.call("add_bookmark", room.anna, activity_id=room.video, at_seconds=at, label="案例") for at in (1, 2, 3)
    ]
    page = room.call("list_bookmarks", room.anna, course_id=room.course, limit=2)
    rest = room.call("list_bookmarks", room.anna, course_id=room.course, limit=2, cursor=page["next_cursor"])
    assert [each["at_seconds"] for each in page["items"] + rest["items"]] == [3, 2, 1]
    one = {"bookmark_id": made[0]["bookmark_id"]}
    refused("learning.bookmark_unknown", NotFound, lambda: room.call("remove_bookmark", room.bao, **one))
    room.call("remove_bookmark", room.anna, **one)
    assert len(room.call("list_bookmarks", room.anna, course_id=room.course)["items"]) == 2
    assert room.call("list_bookmarks", room.bao, course_id=room.course)["items"] == []


# --- questions and notices ------------------------------------------------------------------------------------------------


def test_a_question_waits_until_the_tutor_has_answered(room: Room) -> None:
    first, second = room.ask(room.anna), room.ask(room.bao, "学时怎样折算？")
    waiting = {"course_id": room.course, "which": "UNANSWERED"}
    ids = [each["text_id"] for each in room.call("list_course_questions", room.tutor, **waiting)["items"]]
    assert ids == [first["text_id"], second["text_id"]]  # the longest waiting first
    answer = room.call("answer_course_question", room.tutor, text_id=first["text_id"], text="看第三讲")
    assert answer["by_tutor"]
    ids = [each["text_id"] for each in room.call("list_course_questions", room.tutor, **waiting)["items"]]
    assert ids == [second["text_id"]]
    shown = room.call("get_course_question", room.bao, text_id=first["text_id"])
    assert [each["text"] for each in shown["answers"]] == ["看第三讲"]
    # Whoever asked may ask further, and waits again; nobody else answers.
    room.call("answer_course_question", room.anna, text_id=first["text_id"], text="第三讲没有讲到")
    assert len(room.call("list_course_questions", room.tutor, **waiting)["items"]) == 2
    more = {"text_id": first["text_id"], "text": "我也来答"}
    refused("learning.text_unknown", NotFound, lambda: room.call("answer_course_question", room.bao, **more))
    assert room.texts("list_course_questions", room.anna, which="OWN") == ["怎样设计分层作业？"]


def test_a_notice_reaches_whoever_is_enrolled_and_is_read_by_each(room: Room) -> None:
    notice = {"course_id": room.course, "title": "作业", "text": "周五以前交"}
    for other in (room.anna, person(None, (Role.COUNTY_ADMIN, CITY))):
        with pytest.raises(NotAllowed):
            room.call("publish_course_notice", other, **notice)
    refused("learning.course_unknown", NotFound, lambda: room.call("publish_course_notice", room.elsewhere, **notice))
    made = room.call("publish_course_notice", room.tutor, **notice)
    read = {"text_id": made["text_id"]}
    room.call("read_course_notice", room.anna, **read)
    room.call("read_course_notice", room.anna, **read)
    states = [
        room.call("list_course_notices", reader, course_id=room.course)["items"][0]["is_read"]
        for reader in (room.anna, room.bao)
    ]
    assert states == [True, False]


# --- reporting, hiding, search --------------------------------------------------------------------------------------------


def test_a_reported_text_is_hidden_by_the_tutor_and_stays_its_authors(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = room.note(room.anna, "加微信领资料", shared=True)
    one = {"text_id": note["text_id"]}
    refused("learning.text_own", Conflict, lambda: room.call("report_course_text", room.anna, reason="？", **one))
    for _ in range(2):
        room.call("report_course_text", room.bao, reason="广告", **one)
    [waiting] = room.call("list_reported_texts", room.tutor, course_id=room.course)["items"]
    assert [each["reason"] for each in waiting["reports"]] == ["广告"]
    assert str(room.bao.account_id) not in str(waiting)
    acts: list[Any] = []
    monkeypatch.setattr(audit, "record", lambda _db, _call, **more: acts.append(more))
    hidden = room.call("hide_course_text", room.tutor, hidden=True, reason="广告", **one)
    assert hidden["visibility"] == "HIDDEN"
    assert (acts[0]["subject"], acts[0]["before"], acts[0]["after"]["visibility"]) == (
        room.anna.account_id,
        {"visibility": "COURSE"},
        "HIDDEN",
    )
    assert "微信" not in str(acts)
    assert room.call("list_reported_texts", room.tutor, course_id=room.course)["items"] == []
    assert room.texts("list_notes", room.bao, whose="SHARED") == room.found(room.bao, "微信") == []
    assert room.texts("list_notes", room.anna) == ["加微信领资料"]
    # Editing does not bring it back; the tutor does.
    edited = room.call("edit_note", room.anna, text="加微信", shared=True, **one)
    assert edited["visibility"] == "HIDDEN"
    room.call("hide_course_text", room.tutor, hidden=False, reason="看错了", **one)
    assert room.texts("list_notes", room.bao, whose="SHARED") == ["加微信"]


def test_the_tutor_of_another_city_hides_nothing(room: Room) -> None:
    note = room.note(room.anna, shared=True)
    act = {"text_id": note["text_id"], "hidden": True, "reason": "越权"}
    refused("learning.text_unknown", NotFound, lambda: room.call("hide_course_text", room.elsewhere, **act))
    private = room.note(room.anna, "私密")
    act["text_id"] = private["text_id"]
    refused("learning.text_unknown", NotFound, lambda: room.call("hide_course_text", room.tutor, **act))


def test_search_finds_substrings_of_all_kinds_and_only_whole_ones(room: Room) -> None:
    room.note(room.anna, "分层作业的设计")
    asked = room.ask(room.bao, "怎样布置分层作业？")
    room.call("answer_course_question", room.tutor, text_id=asked["text_id"], text="分层作业要看学情")
    room.call("publish_course_notice", room.tutor, course_id=room.course, title="分层作业", text="下周交")
    room.note(room.bao, "层作与分层，业")  # all its pairs, and never in a row
    assert room.found(room.anna, "分层作业") == ["下周交", "分层作业要看学情", "怎样布置分层作业？", "分层作业的设计"]
    assert room.found(room.bao, "分层作业") == ["下周交", "分层作业要看学情", "怎样布置分层作业？"]
    first = room.call("search_course", room.anna, course_id=room.course, words="分层作业", limit=3)
    rest = room.call(
        "search_course", room.anna, course_id=room.course, words="分层作业", limit=3, cursor=first["next_cursor"]
    )
    assert [each["text"] for each in rest["items"]] == ["分层作业的设计"]
    refused("shared.invalid", InvalidInput, lambda: room.found(room.anna, "分"))


def test_search_goes_by_the_index(room: Room) -> None:
    """With the worker's role: the role of requests may not use it (`policy.py`)."""
    with room.world.learning.database.work() as db:
        db.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = db.execute(
            sa.text("EXPLAIN SELECT 1 FROM course_text WHERE tokens @> CAST(:tokens AS bigint[])"),
            {"tokens": rules.tokens(new_id(), "分层作业")},
        )
        assert "course_text_tokens" in " ".join(plan.scalars())


def test_row_security_hides_what_the_code_would_show(room: Room) -> None:
    """The sabotage twin: asked for everything, the database shows each what is theirs."""
    room.note(room.anna, "私密")
    room.note(room.anna, "公开", shared=True)
    course = sa.select(CourseText.text).where(CourseText.course_id == room.course).order_by(CourseText.text_id)
    seen = {}
    stranger = room.world.teacher()
    for name, actor in (("anna", room.anna), ("bao", room.bao), ("tutor", room.tutor), ("stranger", stranger)):
        call = Call("learning", "list_notes", {}, actor, own(), deadline=time.monotonic() + 60)
        with room.world.learning.database.read(call) as db:
            seen[name] = list(db.scalars(course))
    assert seen == {"anna": ["私密", "公开"], "bao": ["公开"], "tutor": ["公开"], "stranger": []}


# --- materials ------------------------------------------------------------------------------------------------------------

FILE = {"title": "第三讲课件", "sha256": "a" * 64, "media_type": "application/pdf", "size": 1000}
KEY = "materials/aa/" + "0" * 30


def material(room: Room, **changes: Any) -> Any:
    asked = {"course_id": room.course, **FILE, **changes}
    return room.call("prepare_course_material", room.tutor, **asked)


def test_a_file_is_there_for_everybody_once_it_is_kept_and_gone_with_its_key(room: Room) -> None:
    slot = material(room)
    assert material(room)["material_id"] == slot["material_id"]  # the same file again: the same place and key
    assert material(room)["file_key"] == slot["file_key"]
    one = {"course_id": room.course, "material_id": slot["material_id"]}
    assert room.call("list_course_materials", room.anna, course_id=room.course)["items"] == []
    refused("learning.material_unknown", NotFound, lambda: room.call("view_course_material", room.anna, **one))
    assert room.call("keep_course_material", room.tutor, storage_key=KEY, **one)["kept"]
    again = room.call("keep_course_material", room.tutor, storage_key=KEY.replace("0", "1"), **one)
    assert not again["kept"]
    [shown] = room.call("list_course_materials", room.anna, course_id=room.course)["items"]
    assert (shown["title"], "file_key" in shown, "storage_key" in shown) == ("第三讲课件", False, False)
    seen = room.call("view_course_material", room.bao, **one)
    assert seen == {"storage_key": KEY, "file_key": slot["file_key"], "media_type": "application/pdf"}
    assert room.call("remove_course_material", room.tutor, **one) == {"storage_key": KEY}
    refused("learning.material_unknown", NotFound, lambda: room.call("view_course_material", room.bao, **one))


def test_materials_are_the_tutors_and_the_courses(room: Room, world: World) -> None:
    slot = material(room)
    one = {"course_id": room.course, "material_id": slot["material_id"]}
    room.call("keep_course_material", room.tutor, storage_key=KEY, **one)
    with pytest.raises(NotAllowed):
        room.call("remove_course_material", room.anna, **one)
    for stranger in (room.elsewhere, world.teacher()):
        refused("learning.course_unknown", NotFound, lambda s=stranger: room.call("view_course_material", s, **one))
    refused("learning.course_unknown", NotFound, lambda: room.call("remove_course_material", room.elsewhere, **one))
    other = {**one, "course_id": room.programme.course_id("gated")}
    refused("learning.material_unknown", NotFound, lambda: room.call("view_course_material", room.anna, **other))


@pytest.mark.parametrize(
    "change", [{"media_type": "text/html"}, {"size": 11 * 1024 * 1024}, {"sha256": "x"}, {"title": " "}]
)
def test_a_file_that_may_not_be_is_refused(room: Room, change: dict[str, Any]) -> None:
    refused("shared.invalid", InvalidInput, lambda: material(room, **change))


def test_a_course_takes_so_many_files(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.learning.tools.materials.MATERIALS_PER_COURSE", 1)
    material(room)
    refused("learning.materials_full", LimitReached, lambda: material(room, sha256="b" * 64))


def test_adding_and_removing_a_material_is_on_record(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    acts: list[Any] = []
    monkeypatch.setattr(audit, "record", lambda _db, _call, **more: acts.append(more))
    one = {"course_id": room.course, "material_id": material(room)["material_id"]}
    for _ in range(2):
        room.call("keep_course_material", room.tutor, storage_key=KEY, **one)
    room.call("remove_course_material", room.tutor, **one)
    assert [(act["place"], act["after"]["what"]) for act in acts] == [(CITY, "ADDED"), (CITY, "REMOVED")]
