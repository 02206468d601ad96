"""What others may know of learning: names, event payloads, error codes. Standard library and marshmallow only."""

from __future__ import annotations

from services.learning.contract import grades as grades
from services.learning.contract import selection as selection
from services.learning.contract import special_training as special_training
from services.learning.contract.errors import ERRORS as ERRORS
from services.learning.contract.events import COURSE_PROGRESSED as COURSE_PROGRESSED
from services.learning.contract.events import ENROLLED as ENROLLED
from services.learning.contract.events import EVENTS as EVENTS
from services.learning.contract.events import EXAM_JUDGED as EXAM_JUDGED
from services.learning.contract.events import STUDY_CLOSED as STUDY_CLOSED

SERVICE = "learning"

# Where the gateway publishes study reports: the routing key is the shard of the play token.
STUDY_STREAM = "study"
STUDY_EXCHANGE = "study.v1"
