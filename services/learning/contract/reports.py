"""The form of a study report. The gateway and the ingest consumer ask the same function, as neither asks the other."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence

from services.shared.errors import InvalidInput

Segments = tuple[tuple[int, int], ...]

# A client reports every 1-5 minutes and on pause; more than this many stretches is not watching.
MOST_SEGMENTS = 200
FIRST_SEQ = 1
LAST_SEQ = 2**31 - 2  # int4multirange holds them

_encode = json.JSONEncoder(separators=(",", ":")).encode


def read_segments(pairs: Sequence[Sequence[int]], duration_seconds: int) -> Segments:
    """The watched stretches in the order they were played: half-open whole seconds inside the video.

    Raises InvalidInput, naming the segment, for one that is empty, backwards, outside the video, or that overlaps
    another of the same report.
    """
    if not pairs:
        raise InvalidInput("learning.segments_empty", "segments")
    if len(pairs) > MOST_SEGMENTS:
        raise InvalidInput("learning.segments_too_many", "segments")
    segments = tuple((pair[0], pair[1]) for pair in pairs)
    for index, (begin, end) in enumerate(segments):
        if end <= begin:
            raise InvalidInput("learning.segment_backwards", f"segments.{index}")
        if begin < 0 or end > duration_seconds:
            raise InvalidInput("learning.segment_outside", f"segments.{index}")
    _refuse_overlap(segments)
    return segments


def _refuse_overlap(segments: Segments) -> None:
    if all(before[1] <= after[0] for before, after in itertools.pairwise(segments)):
        return  # played onward, as nearly all are
    order = sorted(range(len(segments)), key=segments.__getitem__)
    for before, after in itertools.pairwise(order):
        if segments[after][0] < segments[before][1]:
            raise InvalidInput("learning.segments_overlap", f"segments.{max(before, after)}")


def digest(segments: Segments) -> str:
    """A short fingerprint that ties a receipt to what was reported."""
    return hashlib.sha256(_encode(segments).encode()).hexdigest()[:32]
