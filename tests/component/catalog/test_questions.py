"""Question banks over the real database: drafts, versions that never change, and what seasons draw out of them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.catalog import contract, season_file
from services.catalog.questions.models import QuestionBankVersion
from services.catalog.service import CatalogService
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.conftest import person

CLI = service_actor("cli")
CITY, OTHER_CITY = "CN/350000/350300", "CN/350000/350200"
KEEPER = person(None, (Role.CITY_CENTRE, CITY))


@pytest.fixture
def catalog(component, fixed_clock):
    fixed_clock.instant = clock.parse_instant("2025-12-20T10:00:00+08:00")
    return component(CatalogService)


def bank(code: str, prompt: str = "选哪一个？", **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "place": CITY,
        "titles": {"zh": "题库", "en": "Bank"},
        "questions": [
            {"key": "q1", "kind": "SINGLE", "prompt": prompt, "options": ["甲", "乙"], "answers": ["乙"]},
            {"key": "q2", "kind": "TRUE_FALSE", "prompt": "对吗？", "answer": False, "analysis": "不对"},
        ],
        **changes,
    }


def imported(catalog, code, actor=KEEPER, **changes):
    return catalog.call("import_question_bank", bank(code, **changes), actor)


def published(catalog, code, actor=KEEPER, **changes):
    made = imported(catalog, code, actor, **changes)
    return catalog.call("publish_question_bank", {"bank_id": made["bank_id"]}, actor)


def season(code: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(season_file.read_shipped_season("2026-putian-50h")), "code": code, **changes}


def announced(catalog, event_type, programme_id):
    return [event for event in catalog.outbox(event_type) if event["programme_id"] == programme_id]


def test_a_bank_is_a_draft_until_it_is_published_and_a_version_never_changes(catalog):
    draft = imported(catalog, "bank-draft")
    assert (draft["version"], draft["has_draft"]) == (0, True)
    one = catalog.call("publish_question_bank", {"bank_id": draft["bank_id"]}, KEEPER)
    assert (one["version"], one["has_draft"], one["questions"]) == (1, False, 2)
    # The same file again is nothing new, another one waits beside the version.
    assert not imported(catalog, "bank-draft")["has_draft"]
    assert imported(catalog, "bank-draft", prompt="改了")["version"] == 1
    shown = catalog.call("get_question_bank", {"bank_id": draft["bank_id"], "version": 1}, KEEPER)
    assert shown["items"][0]["prompt"] == "选哪一个？"
    assert catalog.call("get_question_bank", {"bank_id": draft["bank_id"]}, KEEPER)["items"][0]["prompt"] == "改了"
    two = catalog.call("publish_question_bank", {"bank_id": draft["bank_id"]}, KEEPER)
    assert two["version"] == 2
    with pytest.raises(Conflict) as refused:
        catalog.call("publish_question_bank", {"bank_id": draft["bank_id"]}, KEEPER)
    assert refused.value.code == "catalog.question_bank_no_draft"


def test_no_role_that_logs_in_may_change_a_version(catalog):
    published(catalog, "bank-frozen")
    for statement in (sa.update(QuestionBankVersion).values(version=9), sa.delete(QuestionBankVersion)):
        with pytest.raises(DBAPIError, match="permission denied"), catalog.database.work() as db:
            db.execute(statement)


def test_no_reply_holds_an_answer(catalog):
    made = published(catalog, "bank-shown")
    shown = catalog.call("get_question_bank", {"bank_id": made["bank_id"]}, KEEPER)
    assert shown["items"][1] == {
        "key": "q2",
        "kind": "TRUE_FALSE",
        "prompt": "对吗？",
        "options": ["正确", "错误"],
        "analysis": "不对",
    }
    assert "answer" not in json.dumps(shown)


def test_a_bank_belongs_to_its_place(catalog):
    made = published(catalog, "bank-owned")
    stranger = person(None, (Role.CITY_CENTRE, OTHER_CITY))
    one = {"bank_id": made["bank_id"]}
    for method, arguments in (
        ("get_question_bank", one),
        ("publish_question_bank", one),
        ("import_question_bank", bank("bank-owned")),
        ("import_question_bank", bank("bank-owned", place=OTHER_CITY)),
        ("list_question_banks", {"place": CITY}),
    ):
        with pytest.raises(NotFound) as refused:
            catalog.call(method, arguments, stranger)
        assert refused.value.code == "catalog.question_bank_unknown"
    with pytest.raises(NotAllowed):
        catalog.call("list_question_banks", {"place": CITY}, person(None, (Role.COUNTY_ADMIN, CITY)))
    province = person(None, (Role.PROVINCE_ADMIN, "CN/350000"))
    with pytest.raises(Conflict) as moved:
        imported(catalog, "bank-owned", province, place=OTHER_CITY)
    assert moved.value.code == "catalog.question_bank_elsewhere"


def test_the_list_goes_by_pages(catalog):
    for number in range(3):
        published(catalog, f"bank-page-{number}", place="CN/360000/360300", actor=CLI)
    seen, cursor = [], None
    while True:
        asked = {"place": "CN/360000", "limit": 2, "cursor": cursor}
        page = catalog.call("list_question_banks", asked, CLI)
        seen += [each["code"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["bank-page-0", "bank-page-1", "bank-page-2"]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"kind": "SINGLE", "options": ["甲", "乙"], "answers": ["甲", "乙"]}, "questions.0.answers"),
        ({"kind": "SINGLE", "options": ["甲", "甲"], "answers": ["甲"]}, "questions.0.options"),
        ({"kind": "MULTIPLE", "options": ["甲", "乙"], "answers": ["丙"]}, "questions.0.answers"),
        ({"kind": "MULTIPLE", "options": ["甲", "乙"]}, "questions.0.answers"),
        ({"kind": "TRUE_FALSE", "options": ["对", "错"], "answer": True}, "questions.0.options"),
        ({"kind": "TRUE_FALSE"}, "questions.0.answer"),
        ({"kind": "ESSAY"}, "questions.0.kind"),
    ],
)
def test_a_faulty_question_is_told_by_its_place(catalog, question, field):
    faulty = bank("bank-faulty", questions=[{"key": "q1", "prompt": "？", **question}])
    with pytest.raises(InvalidInput) as refused:
        catalog.call("import_question_bank", faulty, KEEPER)
    assert refused.value.field == field


# --- what a season draws --------------------------------------------------------------------------------------------------


def test_the_shipped_season_brings_its_banks_quizzes_and_exam(catalog):
    made = catalog.call("publish_programme", season("2026-putian-shown"), CLI)
    [programme] = announced(catalog, contract.PROGRAMME_PUBLISHED, made["programme_id"])
    assert "exams" not in programme
    assert not contract.EVENTS[contract.PROGRAMME_PUBLISHED]().validate(programme)
    quizzes = programme["courses"][0]["videos"][0]["quizzes"]
    assert [(quiz["at_seconds"], quiz["options"]) for quiz in quizzes] == [(1800, ["正确", "错误"])] * 2
    [exam] = announced(catalog, contract.EXAM_PUBLISHED, made["programme_id"])
    assert (exam["pass_mark"], exam["version"], exam["course_id"]) == (60, 1, None)
    assert [(pool["count"], pool["points"], len(pool["questions"])) for pool in exam["draw"]] == [
        (8, 4, 10),
        (5, 8, 6),
        (7, 4, 8),
    ]
    assert [condition["seconds"] for condition in exam["after"]] == [43_200, 37_800, 54_000]
    # Learning, the judge, gets the answers; visitors see the terms.
    assert exam["draw"][0]["questions"][0]["answers"]
    shown = catalog.call("get_programme", {"programme_id": made["programme_id"]})
    assert (shown["exams"][0]["questions"], shown["exams"][0]["attempts"]) == (20, 3)
    assert "answers" not in json.dumps(shown)
    assert not catalog.call("publish_programme", season("2026-putian-shown"), CLI)["published"]


def test_an_exam_keeps_the_version_that_it_was_published_with(catalog):
    published(catalog, "bank-pinned", place="CN", actor=CLI)
    exam = {
        "key": "final",
        "titles": {"zh": "考试", "en": "Exam"},
        "minutes": 10,
        "attempts": 1,
        "pass_mark": 60,
        "draw": [{"bank": "bank-pinned", "count": 1, "points": 1}],
    }
    made = catalog.call("publish_programme", season("2026-pinned", exams=[exam]), CLI)
    published(catalog, "bank-pinned", place="CN", actor=CLI, prompt="新题")
    catalog.call("publish_programme", season("2026-pinned", exams=[exam]), CLI)
    old, new = announced(catalog, contract.EXAM_PUBLISHED, made["programme_id"])
    assert [each["draw"][0]["questions"][0]["prompt"] for each in (old, new)] == ["选哪一个？", "新题"]
    ids = [{question["question_id"] for question in each["draw"][0]["questions"]} for each in (old, new)]
    assert not ids[0] & ids[1]
    # And the first version can be asked for by its number.
    exam["draw"][0]["version"] = 1
    catalog.call("publish_programme", season("2026-pinned", exams=[exam]), CLI)
    assert announced(catalog, contract.EXAM_PUBLISHED, made["programme_id"])[-1]["draw"] == old["draw"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"bank": "no-such-bank"}, "catalog.question_bank_unpublished", "exams.0.draw.0.bank"),
        ({"version": 7}, "catalog.question_bank_unpublished", "exams.0.draw.0.bank"),
        ({"count": 11}, "catalog.question_bank_too_small", "exams.0.draw.0.count"),
    ],
)
def test_a_draw_that_cannot_be_is_told_by_its_place(catalog, change, code, field):
    faulty = season("2026-faulty")
    faulty["exams"][0]["draw"][0] |= change
    with pytest.raises(InvalidInput) as refused:
        catalog.call("publish_programme", faulty, CLI)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_question_set_names_questions_that_are_there(catalog):
    faulty = season("2026-faulty")
    faulty["courses"][0]["videos"][0]["quizzes"][0]["question_set"]["questions"] = ["t01", "t99"]
    with pytest.raises(InvalidInput) as refused:
        catalog.call("publish_programme", faulty, CLI)
    assert refused.value.field == "courses.0.videos.0.quizzes.0.question_set.questions"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"course": "nowhere"}, "exams.0.course"),
        ({"closes_at": "2027-01-02T00:00:00+08:00"}, "exams.0.opens_at"),
        ({"after": [{"course": "nowhere", "seconds": 1}]}, "exams.0.after.0.course"),
        ({"pass_mark": 101}, "exams.0.pass_mark"),
        ({"draw": []}, "exams.0.draw"),
    ],
)
def test_a_faulty_exam_is_told_by_its_place(catalog, change, field):
    faulty = season("2026-faulty")
    faulty["exams"][0] |= change
    with pytest.raises(InvalidInput) as refused:
        catalog.call("publish_programme", faulty, CLI)
    assert refused.value.field == field


def test_an_exam_that_has_opened_keeps_its_terms(catalog, fixed_clock):
    catalog.call("publish_programme", season("2026-open"), CLI)
    gone = season("2026-open")
    del gone["exams"]
    harder = season("2026-open")
    harder["exams"][0]["pass_mark"] = 80
    before = catalog.call("publish_programme", harder, CLI)
    assert before["version"] == 2  # nobody has begun
    fixed_clock.instant = clock.parse_instant("2026-02-01T10:00:00+08:00")
    easier = season("2026-open")
    for changed in (gone, easier):
        with pytest.raises(Conflict) as refused:
            catalog.call("publish_programme", changed, CLI)
        assert refused.value.code == "catalog.would_change_exam"


def test_what_a_resync_reads_is_what_was_announced(catalog):
    made = catalog.call("publish_programme", season("2026-resync"), CLI)
    [exam] = announced(catalog, contract.EXAM_PUBLISHED, made["programme_id"])
    asked = {"type": contract.EXAM_PUBLISHED, "limit": 500}
    items = catalog.call("read_snapshot", asked, CLI)["items"]
    assert [item["payload"] for item in items if item["key"] == [exam["exam_id"]]] == [exam]
