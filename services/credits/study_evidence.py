"""The one place where learning's snapshot of a course becomes the rule engine's evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.credits.rules import Quiz, Video
from services.shared import clock


def videos_of(snapshot: Iterable[Mapping[str, Any]]) -> list[Video]:
    """The videos of a `learning.course_progressed` payload. Raises KeyError, TypeError or ValueError for anything else."""
    return [
        Video(
            key=video["activity_id"],
            duration_seconds=video["duration_seconds"],
            seen=_pairs(video["seen"]),
            countable=_pairs(video["countable"]),
            quizzes=tuple(_quiz(quiz) for quiz in video["quizzes"]),
            held=_pairs(video.get("held", ())),
        )
        for video in snapshot
    ]


def _pairs(ranges: Iterable[Iterable[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(begin), int(end)) for begin, end in ranges)


def _quiz(quiz: Mapping[str, Any]) -> Quiz:
    answered_at = quiz["answered_at"]
    return Quiz(quiz["at_seconds"], clock.parse_instant(answered_at) if answered_at else None)
