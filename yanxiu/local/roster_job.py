"""A roster from the operators' machine: a job like any other, which this very process runs to its end."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from services.org.contract import bulk
from services.shared.bulk.files import PIECE_BYTES
from services.shared.bulk.rules import WAITING
from yanxiu.local.operator import Operator

PAUSE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class RosterDone:
    """What became of a roster; `code` says why the whole file was refused, if it was."""

    code: str
    field: str
    counts: dict[str, int]
    refused: list[dict[str, Any]]


def run_roster(operator: Operator, kind: str, path: Path, progress: Callable[[int, int], None]) -> RosterDone:
    """Import a file. The same file again changes nothing; after a kill the rows that were done stay done."""
    service = operator.open_bulk(bulk.PROCESS)
    file = service.files.store(_pieces(path))
    opening = {"kind": kind, "at_once": True, "sha256": file.sha256}
    job_id = operator.tell(bulk.PROCESS, "open_job", opening)["job_id"]
    operator.tell(bulk.PROCESS, "attach_file", {"job_id": job_id, "file": file.to_wire()})
    while (job := operator.ask(bulk.PROCESS, "get_job", {"job_id": job_id}))["state"] in WAITING:
        progress(job["counts"]["total"] - job["counts"]["pending"], job["counts"]["total"])
        if not service.runner.run_next(uuid.UUID(job_id)):
            time.sleep(PAUSE_SECONDS)  # something was away; the runner tries again
    counts = {name.upper(): job["counts"][name] for name in ("created", "unchanged", "refused")}
    return RosterDone(job["code"], job["field"], counts, list(_refused(operator, job_id)))


def _refused(operator: Operator, job_id: str) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        query = {"job_id": job_id, "outcome": "REFUSED", "limit": 200, "cursor": cursor}
        page = operator.ask(bulk.PROCESS, "list_job_rows", query)
        for row in page["items"]:
            yield {"row": row["number"], "code": row["code"], "field": row["field"]}
        if (cursor := page["next_cursor"]) is None:
            return


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
