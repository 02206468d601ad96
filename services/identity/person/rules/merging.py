"""Two accounts of one person: who may be merged, on what proof, and for how long it can be undone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

from services.shared.errors import Conflict

UNDO_WITHIN = dt.timedelta(days=30)  # ours: long enough to notice at the next month's end

Document = tuple[str, str]  # type and normalised number, ("", "") for none


class MergeState(enum.StrEnum):
    PROPOSED = "PROPOSED"
    MERGED = "MERGED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    UNDONE = "UNDONE"
    SETTLED = "SETTLED"  # merged for good


class Act(enum.StrEnum):
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"
    UNDO = "UNDO"
    SETTLE = "SETTLE"  # by the clock


class Side(enum.StrEnum):
    KEPT = "KEPT"
    MERGED = "MERGED"


_NEXT = {
    (MergeState.PROPOSED, Act.APPROVE): MergeState.MERGED,
    (MergeState.PROPOSED, Act.REJECT): MergeState.REJECTED,
    (MergeState.PROPOSED, Act.WITHDRAW): MergeState.WITHDRAWN,
    (MergeState.MERGED, Act.UNDO): MergeState.UNDONE,
    (MergeState.MERGED, Act.SETTLE): MergeState.SETTLED,
}


@dataclasses.dataclass(frozen=True)
class Candidate:
    """What decides whether an account may take part in a merge."""

    state: str
    holds_grants: bool
    stands_for_others: bool  # others have been merged into it
    name_key: str  # "" for no name


def next_state(state: MergeState, act: Act) -> MergeState:
    """The state after the act. Raises Conflict for every other pair than the five above."""
    if (state, act) not in _NEXT:
        raise Conflict("identity.merge_undo_over" if act is Act.UNDO else "identity.merge_decided")
    return _NEXT[state, act]


def merge_problem(kept: Candidate, merged: Candidate) -> str:
    """The error code of two accounts that cannot be merged like this, or ""."""
    if kept.state != "ACTIVE" or merged.state != "ACTIVE":
        return "identity.merge_not_living"
    if merged.stands_for_others:
        return "identity.merge_chain"
    if merged.holds_grants:
        return "identity.merge_holds_grants"
    if kept.name_key and merged.name_key and kept.name_key != merged.name_key:
        return "identity.merge_names_differ"
    return ""


def proof_problem(shown: Document, kept: Document, merged: Document, document_of: Side) -> str:
    """The error code unless the document that was shown is the one that the person goes on with."""
    right = kept if document_of is Side.KEPT else merged
    return "" if shown[1] and shown == right else "identity.merge_proof"


def is_undoable(decided_at: dt.datetime, now: dt.datetime) -> bool:
    return now < decided_at + UNDO_WITHIN
