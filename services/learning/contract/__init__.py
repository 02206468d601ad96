"""What others may know of learning: names, event payloads, error codes. Standard library and marshmallow only."""

from __future__ import annotations

import enum

from services.learning.contract.errors import ERRORS as ERRORS
from services.learning.contract.events import COURSE_PROGRESSED as COURSE_PROGRESSED
from services.learning.contract.events import ENROLLED as ENROLLED
from services.learning.contract.events import EVENTS as EVENTS
from services.learning.contract.events import STUDY_CLOSED as STUDY_CLOSED

SERVICE = "learning"

# The table of watched time has 64 hash partitions (`architecture.md` part 3); a shard owns every eighth of them, so
# two shards never write the same partition. Growing to 16, 32 or 64 shards keeps that true.
PARTITIONS = 64
SHARDS = 8
STUDY_EXCHANGE = "learning.study_reports"


def shard_queue(shard: int) -> str:
    """The durable queue of one shard; its routing key on STUDY_EXCHANGE is `shard_key(shard)`."""
    return f"{STUDY_EXCHANGE}.{shard}"


def shard_key(shard: int) -> str:
    return str(shard)


class Reason(enum.StrEnum):
    """Why studied time does not count (`architecture.md` decision 14); codes of ERRORS, so they have words."""

    PROGRAMME_CLOSED = "learning.programme_closed"
    COURSE_NOT_OPEN = "learning.course_not_open"
    QUIZ_UNANSWERED = "learning.quiz_unanswered"
    REST_UNWATCHED = "learning.rest_unwatched"
    OUTSIDE_WINDOW = "learning.outside_window"
    BEFORE_ANSWER = "learning.before_answer"
