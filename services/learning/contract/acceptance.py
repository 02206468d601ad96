"""Whether a study report is accepted: decided from the report, its play token and its receipt alone, asking nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Sequence

from services.learning.contract import reports
from services.learning.contract.reports import Segments
from services.learning.contract.tokens import PlayToken, Receipt
from services.shared.errors import InvalidInput, NotAllowed, NotFound


@dataclasses.dataclass(frozen=True)
class OfferedReport:
    """What a client sends: which session it says, who it is, and its papers. `receipt` is "" for a first offer."""

    study_session_id: uuid.UUID
    account_id: uuid.UUID
    play_token: str
    seq: int
    segments: Sequence[Sequence[int]]
    receipt: str = ""


@dataclasses.dataclass(frozen=True)
class AcceptedReport:
    token: PlayToken
    receipt: Receipt
    segments: Segments


def accept_report(
    offered: OfferedReport,
    read_token: Callable[[str], PlayToken],
    read_receipt: Callable[[str], Receipt],
    now: dt.datetime,
) -> AcceptedReport:
    """The report, accepted now, or at the time that the receipt of an earlier acceptance proves.

    Raises NotFound for another's session, which looks unknown; InvalidInput for segments that the video does not have
    and for a receipt of something else; NotAllowed for a token that is forged, or that has expired and comes without a
    receipt.
    """
    token = read_token(offered.play_token)
    if token.study_session_id != offered.study_session_id or token.teacher_id != offered.account_id:
        raise NotFound("learning.session_unknown")
    segments = reports.read_segments(offered.segments, token.duration_seconds)
    digest = reports.digest(segments)
    if not offered.receipt:
        if now >= token.expires_at:
            raise NotAllowed("learning.play_token_expired", "play_token")
        return AcceptedReport(token, Receipt(token.study_session_id, offered.seq, digest, now), segments)
    receipt = read_receipt(offered.receipt)
    if (receipt.study_session_id, receipt.seq, receipt.digest) != (token.study_session_id, offered.seq, digest):
        raise InvalidInput("learning.receipt_invalid", "receipt")
    return AcceptedReport(token, receipt, segments)
