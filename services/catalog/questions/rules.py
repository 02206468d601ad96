"""Pure rules of question banks: stable ids, what a question means to its judge, which questions a quiz point takes; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.catalog.contract.questions import QuestionKind
from services.catalog.rules import stable_id

# What a true/false question offers; the file says only which of the two is right.
TRUE, FALSE = "正确", "错误"


def bank_id(code: str) -> str:
    return str(stable_id("question-bank", code))


def question_id(bank: str, version: int, key: str) -> str:
    """Another version of a bank has other ids: what an id means never changes."""
    return str(stable_id("question-bank", bank, str(version), key))


def content_of(bank: Mapping[str, Any]) -> dict[str, Any]:
    """The bank as stored: every question with options and answers, whatever its kind; plain JSON."""
    return {"titles": dict(bank["titles"]), "questions": [_question_of(each) for each in bank["questions"]]}


def _question_of(question: Mapping[str, Any]) -> dict[str, Any]:
    true_or_false = question["kind"] == QuestionKind.TRUE_FALSE
    return {
        "key": question["key"],
        "kind": str(question["kind"]),
        "prompt": question["prompt"],
        "options": [TRUE, FALSE] if true_or_false else list(question["options"]),
        "answers": [TRUE if question["answer"] else FALSE] if true_or_false else list(question["answers"]),
        "analysis": question.get("analysis", ""),
    }


def told(code: str, version: int, questions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The questions of one version as the judge gets them."""
    return [
        {
            "question_id": question_id(code, version, each["key"]),
            **{name: each[name] for name in ("kind", "prompt", "options", "answers", "analysis")},
        }
        for each in questions
    ]


def quizzes_from(
    point: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The quizzes of a point that names questions of a bank, in the point's order, and the keys that the bank lacks."""
    known = {question["key"]: question for question in questions}
    wanted = point["question_set"]["questions"]
    found = [
        {
            "key": f"{point['key']}.{key}",
            "at_seconds": point["at_seconds"],
            **{name: known[key][name] for name in ("prompt", "options", "answers")},
        }
        for key in wanted
        if key in known
    ]
    return found, [key for key in wanted if key not in known]
