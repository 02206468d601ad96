"""Taking a study report: what the broker is handed, and what the client is told. The same for both ways to get here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from services.learning.contract.acceptance import OfferedReport, accept_report
from services.shared import clock

if TYPE_CHECKING:
    from gateway.study_papers import StudyPapers


@dataclasses.dataclass(frozen=True)
class Taken:
    """A report that is good: its message, the shard that takes it, and the reply once the broker holds it."""

    shard: str
    message: dict[str, Any]
    reply: bytes


def take(
    study_session_id: uuid.UUID, account_id: uuid.UUID, report: Mapping[str, Any], papers: StudyPapers, now: dt.datetime
) -> Taken:
    """Judge a report as its schema loads it, of whoever sent it. Raises what `accept_report` raises."""
    pairs = [(segment["begin"], segment["end"]) for segment in report["segments"]]
    offered = OfferedReport(
        study_session_id, account_id, report["play_token"], report["seq"], pairs, report.get("receipt", "")
    )
    accepted = accept_report(offered, papers.read_token, papers.read_receipt, now)
    received_at = clock.format_instant(accepted.receipt.received_at)
    session_id = str(offered.study_session_id)
    message = {
        "kind": "report",
        "study_session_id": session_id,
        "seq": offered.seq,
        "segments": accepted.segments,
        "received_at": received_at,
    }
    reply = {
        "study_session_id": session_id,
        "seq": offered.seq,
        "received_at": received_at,
        "receipt": offered.receipt or papers.mint_receipt(accepted.receipt),
    }
    return Taken(str(accepted.token.shard), message, json.dumps(reply).encode())
