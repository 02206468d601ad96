"""Pure rules of jobs: states, what leads from one to another, what a job's owner may do with it; no I/O."""

from __future__ import annotations

import datetime as dt
import enum

from services.shared.errors import Conflict, LimitReached

FILE_LIFETIME = dt.timedelta(hours=24)  # reliability.md S10: an export expires within a day
DOWNLOAD_LIFETIME = dt.timedelta(minutes=5)
CONTENT_LIFETIME = dt.timedelta(days=30)  # then the rows' own cells are erased; what became of them stays
UPLOAD_LIFETIME = dt.timedelta(hours=1)  # for a file that was announced and never came
MAXIMUM_UNFINISHED = 10  # jobs of one account: whoever forgets them must not fill the disk
MAXIMUM_EXPORTS_A_DAY = 20


class JobState(enum.StrEnum):
    UPLOADING = "UPLOADING"  # announced; the file is on its way
    UPLOADED = "UPLOADED"
    VALIDATING = "VALIDATING"
    READY = "READY"  # the preview: nothing has been done yet
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"  # by its owner; what was done stays done
    STOPPED = "STOPPED"  # its owner no longer holds the grant
    REFUSED = "REFUSED"  # the file is no roster, or the export too large: nothing was done


class Act(enum.StrEnum):
    ATTACH = "ATTACH"
    VALIDATE = "VALIDATE"
    PRESENT = "PRESENT"
    START = "START"
    FINISH = "FINISH"
    CANCEL = "CANCEL"
    STOP = "STOP"
    REFUSE = "REFUSE"
    RERUN = "RERUN"


class Outcome(enum.StrEnum):
    """What became of one row."""

    PENDING = "PENDING"
    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"  # it was so already
    REFUSED = "REFUSED"


UNFINISHED = frozenset({JobState.UPLOADING, JobState.UPLOADED, JobState.VALIDATING, JobState.READY, JobState.RUNNING})
RESTING = frozenset({JobState.READY, JobState.DONE, JobState.CANCELLED, JobState.STOPPED})
# A runner has something to do.
WAITING = frozenset({JobState.UPLOADED, JobState.VALIDATING, JobState.RUNNING})

# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[JobState, Act], JobState] = {
    (JobState.UPLOADING, Act.ATTACH): JobState.UPLOADED,
    (JobState.UPLOADED, Act.VALIDATE): JobState.VALIDATING,
    (JobState.VALIDATING, Act.VALIDATE): JobState.VALIDATING,  # a runner died: from the beginning
    (JobState.VALIDATING, Act.PRESENT): JobState.READY,
    (JobState.VALIDATING, Act.REFUSE): JobState.REFUSED,
    (JobState.RUNNING, Act.REFUSE): JobState.REFUSED,
    (JobState.READY, Act.START): JobState.RUNNING,
    (JobState.RUNNING, Act.FINISH): JobState.DONE,
    (JobState.RUNNING, Act.STOP): JobState.STOPPED,
    (JobState.DONE, Act.RERUN): JobState.RUNNING,
    (JobState.STOPPED, Act.RERUN): JobState.RUNNING,
    (JobState.CANCELLED, Act.RERUN): JobState.RUNNING,
    **{(state, Act.CANCEL): JobState.CANCELLED for state in UNFINISHED},
}
REFUSALS: dict[Act, str] = {
    Act.ATTACH: "shared.job_has_file",
    Act.START: "shared.job_not_ready",
    Act.CANCEL: "shared.job_ended",
    Act.RERUN: "shared.job_not_ended",
}


def next_state(state: JobState, act: Act) -> JobState:
    """The state after `act`. Raises Conflict with the act's own code when it is not possible now."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict(REFUSALS.get(act, "shared.conflict")) from None


def require_rerun(failed: int, pending: int, *, validated: bool, forgotten: bool) -> None:
    """Whether a job that came to rest may run again over what is not done.

    Raises Conflict: "shared.job_forgotten" once its rows were erased, "shared.nothing_to_rerun" when there is nothing left.
    """
    if forgotten:
        raise Conflict("shared.job_forgotten")
    if not validated or failed + pending == 0:
        raise Conflict("shared.nothing_to_rerun")


def require_room(unfinished: int) -> None:
    """Raises LimitReached("shared.too_many_jobs") for an account with as many unfinished jobs as it may have."""
    if unfinished >= MAXIMUM_UNFINISHED:
        raise LimitReached("shared.too_many_jobs")


def require_export_room(exports_today: int) -> None:
    """Raises LimitReached("shared.too_many_exports"): whoever needs more than this is carrying the register away."""
    if exports_today >= MAXIMUM_EXPORTS_A_DAY:
        raise LimitReached("shared.too_many_exports")


def is_open(expires_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a file or a download token with this end may still be used."""
    return expires_at is not None and now < expires_at
