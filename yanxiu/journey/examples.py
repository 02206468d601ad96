"""The worked examples W01-W12 of the 2023 winter season as viewing plans, and where each must end (`domain.md` §4.9).

A piece is (course, video, from, to) in seconds; quizzes on the way are answered unless the piece says otherwise. Lengths
of videos and positions of quizzes: `services/catalog/seasons/2023-winter.yaml`.
"""

from __future__ import annotations

import dataclasses

OTHERS = ("live_safety", "course_c", "course_d", "course_e")


@dataclasses.dataclass(frozen=True)
class Piece:
    """Watch `video` of `course` from `start` to `end`; `answers=False` plays over its quizzes."""

    course: str
    video: str
    start: int
    end: int
    answers: bool = True
    not_before: str = ""  # Beijing time, when the piece must wait for a moment


@dataclasses.dataclass(frozen=True)
class Example:
    """A plan and its end: recognised hours, the hours of single courses, the certificate's state."""

    id: str
    told: str
    pieces: tuple[Piece, ...]
    hours: str
    certificate: str
    courses: tuple[tuple[str, str], ...] = ()
    studied: tuple[tuple[str, int], ...] = ()  # course -> seconds in the history
    verified: bool = True
    verified_late: bool = False


def party20(seconds: int) -> tuple[Piece, ...]:
    """`seconds` of the first course: its hour-long video's end, then two short ones (35 minutes together)."""
    return (
        Piece("party20", "v1", 3600 - (seconds - 2100), 3600),
        Piece("party20", "v7", 0, 1200),
        Piece("party20", "v8", 0, 900),
    )


def ordinary(course: str, seconds: int) -> tuple[Piece, ...]:
    """`seconds` of an ordinary course, up to an hour: the end of its second video, whose quiz lies at 40 minutes."""
    if course == "live_safety":
        return (Piece(course, "v1", 0, 2700),)
    return (Piece(course, "v2", 3600 - seconds, 3600),)


ALL_OTHERS = tuple(piece for course in OTHERS for piece in ordinary(course, 2700))
COMPLETE = party20(5400) + ALL_OTHERS

EXAMPLES = (
    Example(
        "W01",
        "二十大 95 min, others 45, 46, 50, 60 min",
        party20(5700)
        + ordinary("live_safety", 2700)
        + ordinary("course_c", 2760)
        + ordinary("course_d", 3000)
        + ordinary("course_e", 3600),
        "6.00",
        "ISSUED",
        (
            ("party20", "2.00"),
            ("live_safety", "1.00"),
            ("course_c", "1.00"),
            ("course_d", "1.00"),
            ("course_e", "1.00"),
        ),
    ),
    Example("W02", "二十大 89 min", party20(5340) + ALL_OTHERS, "4.00", "NOT_EARNED", (("party20", "0.00"),)),
    Example(
        "W03",
        "20 + 15 + 15 min, the third quiz not answered",
        (
            Piece("course_c", "v4", 0, 1200),
            Piece("course_c", "v5", 0, 900),
            Piece("course_c", "v6", 0, 900, answers=False),
        ),
        "0.00",
        "NOT_EARNED",
    ),
    Example(
        "W04",
        "a quiz at 10:00 answered, closed at 12:00; then watched to the end",
        (
            Piece("course_c", "v3", 0, 1800),
            Piece("course_c", "v5", 0, 720),
            Piece("course_c", "v5", 720, 900, not_before="2023-01-20T08:00:00"),
        ),
        "1.00",
        "NOT_EARNED",
        (("course_c", "1.00"),),
    ),
    Example(
        "W05",
        "live-teaching safety, no quiz answered",
        (Piece("live_safety", "v1", 0, 2700, answers=False),),
        "1.00",
        "NOT_EARNED",
        (("live_safety", "1.00"),),
    ),
    Example(
        "W06",
        "二十大 300 min, all else complete",
        (
            Piece("party20", "v1", 0, 3600),
            Piece("party20", "v2", 0, 3600),
            Piece("party20", "v3", 0, 2700),
            Piece("party20", "v4", 0, 2700),
            Piece("party20", "v5", 0, 1800),
            Piece("party20", "v6", 0, 1800),
            Piece("party20", "v7", 0, 1200),
            Piece("party20", "v8", 300, 900),
            *ALL_OTHERS,
        ),
        "6.00",
        "ISSUED",
        (("party20", "2.00"),),
        (("party20", 18000),),
    ),
    Example("W07", "44 min 59 s of an ordinary course", ordinary("course_c", 2699), "0.00", "NOT_EARNED"),
    Example(
        "W08",
        "one video of 30 min watched twice",
        (Piece("course_c", "v3", 0, 1800), Piece("course_c", "v3", 0, 1800)),
        "0.00",
        "NOT_EARNED",
        (),
        (("course_c", 1800),),
    ),
    Example(
        "W09",
        "the last second of one course after the close",
        (
            *party20(5400),
            *ordinary("live_safety", 2700),
            *ordinary("course_c", 2700),
            *ordinary("course_d", 2700),
            Piece("course_e", "v2", 900, 3599, not_before="2023-02-28T23:05:00"),
            Piece("course_e", "v2", 3599, 3600, not_before="2023-03-01T00:00:00"),
        ),
        "5.00",
        "NOT_EARNED",
        (("course_e", "0.00"),),
    ),
    Example("W10", "6 h, verified on 10 March only", COMPLETE, "6.00", "ISSUED", verified=False, verified_late=True),
    Example("W11", "studied under 其他, then the county created the school", COMPLETE, "6.00", "ISSUED"),
    Example(
        "W12",
        "all courses but one",
        party20(5400) + ordinary("live_safety", 2700) + ordinary("course_c", 2700) + ordinary("course_d", 2700),
        "5.00",
        "NOT_EARNED",
    ),
)
