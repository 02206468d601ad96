"""The ingest process: takes study reports from the shard queues by the batch."""

from __future__ import annotations

from typing import ClassVar

from services.learning import contract
from services.learning.study.actions import closing, reports
from services.learning.study.actions.closing import Marker
from services.learning.study.actions.reports import StudyReport
from services.shared import clock
from services.shared.bus import DatabaseProvider, batch_consumer
from services.shared.policy import Policy


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
