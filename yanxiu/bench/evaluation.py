"""Evaluating one teacher's evidence of a large season, pure and in this process, beside merely adding up its seconds."""

from __future__ import annotations

import datetime as dt
import functools
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from yanxiu.bench import figures, machine
from yanxiu.bench.cases import BenchError

PACK = "smartedu-2023-winter"
VIDEOS = 60  # in each of its five courses
SECONDS = 1800
# How the evidence comes: all of it watched; or with gaps, in so many pieces for each video, one in two of which counts less.
PIECES = {"whole": 1, "gaps": 10, "many_gaps": 30}
GOAL_MS = 2.0

Evidence = dict[str, list[Any]]


def measure_evaluation(rounds: int, operations: int, report: Callable[[str], None]) -> dict[str, Any]:
    """CPU milliseconds of one evaluation, by evidence. Raises BenchError when it comes to something else than it must."""
    from services.credits import pack_files
    from services.credits.rules import evaluate

    pack = pack_files.load_season_pack(PACK)
    evidence = {name: _evidence(pack.courses, pieces) for name, pieces in PIECES.items()}
    _require_truth({name: evaluate(pack, given) for name, given in evidence.items()}, evidence)
    samples: dict[str, list[float]] = {name: [] for name in [*evidence, "adding_up"]}
    for number in range(rounds):
        acts: list[tuple[str, Callable[[], Any]]] = [
            (name, functools.partial(evaluate, pack, given)) for name, given in evidence.items()
        ]
        acts.append(("adding_up", functools.partial(_add_up, evidence["gaps"])))
        for name, act in acts if number % 2 else reversed(acts):
            samples[name].append(_cpu_ms(act, operations))
        report(f"round {number + 1} of {rounds}")
    ratio = figures.paired_ratio(samples["gaps"], samples["adding_up"])
    assert ratio is not None  # nothing takes no time at all
    return {
        "bench": "evaluation",
        "videos": VIDEOS * len(pack.courses),
        "rounds": rounds,
        "operations": operations,
        "milliseconds": {name: round(statistics.median(taken), 3) for name, taken in samples.items()},
        "goals": [
            # The fastest round, as timeit does: of pure computing the rest is the neighbours' doing.
            *(_goal(name, min(samples[name])) for name in evidence),
            {
                "name": "adding_up",
                "told": "evidence with gaps: evaluation / adding up its seconds",
                "found": round(ratio.value, 2),
                "low": round(ratio.low, 2),
                "high": round(ratio.high, 2),
                "unit": "×",
                "goal": None,
            },
        ],
        "machine": machine.facts(),
    }


def _evidence(courses: tuple[str, ...], pieces: int) -> Evidence:
    from services.credits.rules import Quiz, Video

    chance = random.Random(pieces)  # noqa: S311  the same evidence in each run
    answered = dt.datetime(2023, 2, 1, tzinfo=dt.UTC)
    quizzes = (Quiz(SECONDS // 3, answered), Quiz(2 * SECONDS // 3, answered))

    def video(key: str) -> Video:
        cuts = sorted(chance.sample(range(1, SECONDS), 2 * pieces))
        seen = tuple(zip(cuts[::2], cuts[1::2], strict=True)) if pieces > 1 else ((0, SECONDS),)
        countable = seen[1:] if pieces > 1 and chance.random() < 0.5 else seen
        return Video(key, SECONDS, seen, countable, quizzes)

    return {course: [video(f"{course}-{number:02}") for number in range(VIDEOS)] for course in courses}


def _add_up(evidence: Evidence) -> int:
    seconds = 0
    for videos in evidence.values():
        for video in videos:
            for pieces in (video.seen, video.countable):
                for begin, end in pieces:
                    seconds += end - begin
    return seconds


def _require_truth(outcomes: dict[str, Any], evidence: dict[str, Evidence]) -> None:
    if outcomes["whole"].hours != Decimal(6):
        raise BenchError("a season watched whole did not earn its six hours")
    for name, outcome in outcomes.items():
        for course in outcome.courses:
            videos = evidence[name][course.key]
            studied = sum(end - begin for video in videos for begin, end in video.seen)
            if course.studied_seconds != studied:
                raise BenchError(f"{course.key}: {course.studied_seconds} s studied instead of {studied}")


def _cpu_ms(act: Callable[[], Any], operations: int) -> float:
    began = time.process_time()
    for _ in range(operations):
        act()
    return (time.process_time() - began) * 1000 / operations


def _goal(name: str, found: float) -> dict[str, Any]:
    told = f"a season of {5 * VIDEOS} videos, {name.replace('_', ' ')}: CPU"
    return {"name": name, "told": told, "found": round(found, 2), "unit": "ms", "goal": GOAL_MS}
