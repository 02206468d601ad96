"""The ingest process: takes study reports from the shard queues by the batch."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import structlog

from services.learning import contract
from services.learning.study.actions import closing, evidence, reports
from services.learning.study.actions.closing import Marker
from services.learning.study.actions.reports import StudyReport
from services.shared import clock
from services.shared.bus import DatabaseProvider, batch_consumer, continuous
from services.shared.database import is_outage
from services.shared.policy import Policy

# What one transaction of telling locks, and what is told once more when it is cut off, stays small.
TOLD_AT_ONCE = 200
PUT_OFF = dt.timedelta(hours=1)

log = structlog.get_logger(__name__)


class LearningIngest:
    name = "learning-ingest"
    policies: ClassVar[dict[str, Policy]] = {}  # it answers nobody
    database = DatabaseProvider()

    # A batch costs as much as a hundred reports before it holds one, and nobody waits for it: a report is safe with the
    # broker, and what it earned has to be seen within five seconds (`performance.md` S1).
    @batch_consumer(stream=contract.STUDY_STREAM, max_wait_seconds=0.5)
    def record_segments(self, db, messages):
        """Record a batch; markers of a closing come after the reports that stood before them in the queue."""
        bodies = [message.body for message in messages]
        batch = [StudyReport.from_wire(body) for body in bodies if body["kind"] == "report"]
        markers = [Marker.from_wire(body) for body in bodies if body["kind"] == "marker"]
        if len(batch) + len(markers) < len(bodies):
            raise ValueError("neither a report nor a marker")
        if batch:
            reports.record_segments(db, batch, clock.now())
        closing.pass_markers(db, markers)

    # Here and not with the answering processes: of these run as many as there is study.
    @continuous(workers=1, pause_seconds=1.0)
    def tell_due_progress(self):
        """Tell credits what is due of study whose teacher reports no more; the rest goes with the next report."""
        now = clock.now()
        try:
            with self.database.work() as db:
                return evidence.tell_due(db, now, TOLD_AT_ONCE) == TOLD_AT_ONCE
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("progress_untold")
        self._tell_one_by_one(now)
        return False

    def _tell_one_by_one(self, now):
        """What cannot be told holds up nothing else: it is put off, and the error is in the log each time."""
        with self.database.work() as db:
            due = evidence.list_due(db, now, TOLD_AT_ONCE)
        for key in due:
            try:
                with self.database.work() as db:
                    evidence.announce_noted(db, [key])
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("progress_put_off")
                with self.database.work() as db:
                    evidence.put_off(db, key, now + PUT_OFF)
