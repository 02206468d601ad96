"""What is done with question banks: import a draft, publish it as a version that never changes, put it into a season."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.questions import queries, rules
from services.catalog.questions.models import QuestionBank, QuestionBankVersion
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.yaml_files import content_hash


def import_bank(db: Session, call: Call, file: dict[str, Any]) -> QuestionBank:
    """Keep the file as the bank's draft; the content of the newest version again leaves no draft.

    Raises NotFound outside the caller's territory, also for a code that somebody else's bank has; Conflict when the file
    names another place than the bank's.
    """
    call.authorise(place=file["place"], missing=queries.MISSING, field="place")
    content = rules.content_of(file)
    bank = queries.lock_bank(db, _first_row(call, file))
    if bank is None:
        raise NotFound(queries.MISSING, "code")
    if bank.place != file["place"]:
        raise Conflict("catalog.question_bank_elsewhere", "place")
    bank.titles = content["titles"]
    bank.draft = None if content_hash(content) == bank.content_hash else content
    bank.changed_at = call.now
    _record(db, call, bank)
    db.flush()
    return bank


def _first_row(call: Call, file: dict[str, Any]) -> QuestionBank:
    return QuestionBank(
        bank_id=uuid.UUID(rules.bank_id(file["code"])),
        code=file["code"],
        place=file["place"],
        titles=dict(file["titles"]),
        version=0,
        content_hash="",
        questions=0,
        draft=None,
        changed_at=call.now,
    )


def publish_bank(db: Session, call: Call, bank_id: uuid.UUID) -> QuestionBank:
    """Make the draft the next version. Raises NotFound outside the caller's territory, Conflict without a draft."""
    bank = queries.lock_bank_by_id(db, bank_id)
    call.authorise(place=bank.place, missing=queries.MISSING)
    if bank.draft is None:
        raise Conflict("catalog.question_bank_no_draft")
    _publish(db, call, bank, bank.draft)
    _record(db, call, bank)
    return bank


def publish_with_season(db: Session, call: Call, file: dict[str, Any]) -> None:
    """A bank that a season's file brings along: imported and published in one."""
    bank = import_bank(db, call, file)
    if bank.draft is not None:
        _publish(db, call, bank, bank.draft)


def _publish(db: Session, call: Call, bank: QuestionBank, content: dict[str, Any]) -> None:
    bank.version += 1
    bank.content_hash, bank.questions, bank.draft = content_hash(content), len(content["questions"]), None
    bank.changed_at = call.now
    db.flush()
    db.add(
        QuestionBankVersion(
            bank_id=bank.bank_id,
            version=bank.version,
            place=bank.place,
            content_hash=bank.content_hash,
            content=content,
            published_by=call.actor.key,
            published_at=call.now,
        )
    )
    db.flush()


def _record(db: Session, call: Call, bank: QuestionBank) -> None:
    after = {"code": bank.code, "version": bank.version, "draft": bank.draft is not None}
    audit.record(db, call, subject=None, place=bank.place, after=after)


# --- what a season takes out of banks -------------------------------------------------------------------------------------


def draw_into(db: Session, season: dict[str, Any]) -> dict[str, Any]:
    """The season with its quiz points' questions filled in, and its exams' pools pinned to a version of their bank.

    Raises InvalidInput, naming the place in the file, for a bank that is not published, a question that it lacks, and a
    pool that is to draw more questions than there are.
    """
    banks = _Banks(db)
    courses = [_with_quizzes(banks, index, course) for index, course in enumerate(season["courses"])]
    exams = [
        {**exam, "draw": [_pinned(banks, f"exams.{at}.draw.{nth}", pool) for nth, pool in enumerate(exam["draw"])]}
        for at, exam in enumerate(season.get("exams", ()))
    ]
    return {**season, "courses": courses, **({"exams": exams} if exams else {})}


class _Banks:
    """Published banks, each read once."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._known: dict[tuple[str, int | None], QuestionBankVersion] = {}

    def find(self, code: str, version: int | None, field: str) -> QuestionBankVersion:
        if (code, version) not in self._known:
            bank = queries.find_banks(self._db, {code}).get(code)
            wanted = version or (bank.version if bank else 0)
            found = queries.find_versions(self._db, {(bank.bank_id, wanted)}) if bank else {}
            if not found:
                raise InvalidInput("catalog.question_bank_unpublished", field, code)
            [self._known[code, version]] = found.values()
        return self._known[code, version]


def _with_quizzes(banks: _Banks, index: int, course: dict[str, Any]) -> dict[str, Any]:
    videos = []
    for nth, video in enumerate(course["videos"]):
        quizzes: list[dict[str, Any]] = []
        for at, quiz in enumerate(video["quizzes"]):
            if "question_set" not in quiz:
                quizzes.append(quiz)
                continue
            field = f"courses.{index}.videos.{nth}.quizzes.{at}.question_set"
            version = banks.find(quiz["question_set"]["bank"], None, f"{field}.bank")
            found, lacking = rules.quizzes_from(quiz, version.content["questions"])
            if lacking:
                raise InvalidInput("catalog.question_unknown", f"{field}.questions", lacking[0])
            quizzes += found
        videos.append({**video, "quizzes": quizzes})
    return {**course, "videos": videos}


def _pinned(banks: _Banks, field: str, pool: dict[str, Any]) -> dict[str, Any]:
    version = banks.find(pool["bank"], pool.get("version"), f"{field}.bank")
    if pool["count"] > len(version.content["questions"]):
        raise InvalidInput("catalog.question_bank_too_small", f"{field}.count")
    return {**pool, "version": version.version}
