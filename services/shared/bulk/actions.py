"""What a job's owner does with it: open, attach, submit, start, cancel, run again, fetch its file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session

from services.shared import audit, clock
from services.shared.bulk import queries, rules
from services.shared.bulk.columns import Fault, Repetitions, read_cells
from services.shared.bulk.files import SealedFile
from services.shared.bulk.kinds import Export, JobRow, Kind
from services.shared.bulk.rules import RESTING, Act, JobState, Outcome
from services.shared.bulk.tables import job
from services.shared.bus.calls import Call, first_fault
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id
from services.shared.policy import Policy

ROW_TABLE = "bulk_row"
NATION = "CN"


def open_job(db: Session, call: Call, kind: Kind, arguments: dict[str, Any]) -> dict[str, Any]:
    """Announce a file. Raises NotAllowed for whom the kind is not, LimitReached for too many unfinished jobs."""
    _require_room(db, call)
    return _insert(
        db,
        call,
        kind,
        state=JobState.UPLOADING,
        place=territory(call, kind.policy),
        parameters=_checked(kind.parameters, arguments["parameters"], "parameters"),
        at_once=arguments["at_once"],
        upload_sha256=arguments["sha256"],
    )


def attach_file(db: Session, call: Call, job_id: uuid.UUID, file: dict[str, Any]) -> dict[str, Any]:
    """Give a job its file. `accepted` is false when it has one already: then the offered pieces are nobody's."""
    found = queries.lock_job(db, job_id, owner_of(call))
    if found.state != JobState.UPLOADING:
        return {"accepted": False}
    if file["sha256"] != found.upload_sha256:
        raise InvalidInput("shared.invalid", "file.sha256")
    upload = SealedFile(file["file_id"], tuple(file["pieces"]), file["sha256"], file["size"]).to_wire()
    change_state(db, found, Act.ATTACH, call.now, upload=upload)
    return {"accepted": True}


def rows_in(kind: Kind, given: Sequence[Mapping[str, str]]) -> list[JobRow]:
    """The rows of a request whose form is right so far, numbered from 1."""
    header = [column.key for column in kind.columns]
    read = [read_cells(cells, header, kind.columns) for cells in _cells_in(header, given)]
    return [JobRow(number, values) for number, values in enumerate(read, start=1) if not isinstance(values, Fault)]


def _cells_in(header: Sequence[str], given: Sequence[Mapping[str, str]]) -> list[list[str]]:
    return [[values.get(key, "").strip() for key in header] for values in given]


def submit_rows(
    db: Session,
    call: Call,
    kind: Kind,
    cipher: FieldCipher,
    arguments: dict[str, Any],
    foreseen: Mapping[int, Fault],
) -> dict[str, Any]:
    """A job whose rows stand in the request; they are numbered from 1, and judged at once."""
    _require_room(db, call)
    header = [column.key for column in kind.columns]
    made = _insert(
        db,
        call,
        kind,
        state=JobState.RUNNING if arguments["at_once"] else JobState.READY,
        place=territory(call, kind.policy),
        parameters=_checked(kind.parameters, arguments["parameters"], "parameters"),
        at_once=arguments["at_once"],
        header=header,
        validated=True,
        total=len(arguments["rows"]),
    )
    for index, values in enumerate(arguments["rows"]):
        if unknown := sorted(set(values) - set(header)):
            raise InvalidInput("shared.unknown_field", f"rows.{index}", f"{len(unknown)} unknown")
    judge = Judge(kind, header, cipher, made["job_id"])
    judged = judge.judge(enumerate(_cells_in(header, arguments["rows"]), start=1), lambda _rows: foreseen)
    queries.insert_rows(db, made["job_id"], judged)
    queries.update_job(db, made["job_id"], refused=judge.refused)
    return made


def request_export(
    db: Session, call: Call, kind: Export, of_exports: Sequence[str], arguments: dict[str, Any]
) -> dict[str, Any]:
    """Ask for an export of a place: it runs by itself. `reason` is printed on it and kept in the audit trail.

    Raises NotFound outside the caller's territory, LimitReached for more than the day's number.
    """
    kind.policy.check(call.actor, None, arguments["place"], "shared.not_found")
    _require_room(db, call)
    day = call.now.astimezone(clock.BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    rules.require_export_room(queries.count_exports(db, owner_of(call), day, of_exports))
    return _insert(
        db,
        call,
        kind,
        state=JobState.RUNNING,
        place=arguments["place"],
        parameters=_checked(kind.filters, arguments["filters"], "filters"),
        at_once=True,
        reason=arguments["reason"],
        validated=True,
    )


def start_job(db: Session, call: Call, job_id: uuid.UUID) -> None:
    """Begin what the preview showed. Raises Conflict unless the job is READY."""
    found = queries.lock_job(db, job_id, owner_of(call))
    change_state(db, found, Act.START, call.now)
    _record(db, call, found, {"state": JobState.RUNNING})


def cancel_job(db: Session, call: Call, job_id: uuid.UUID) -> None:
    """Do nothing more; what was done stays done. Raises Conflict for a job that has ended."""
    found = queries.lock_job(db, job_id, owner_of(call))
    change_state(db, found, Act.CANCEL, call.now)
    _record(db, call, found, {"state": JobState.CANCELLED})


def rerun_job(db: Session, call: Call, job_id: uuid.UUID) -> None:
    """Do what is not done: rows that were refused when they were tried, and rows that were never reached.

    Rows whose form is wrong stay refused: the file has to be corrected. Raises Conflict when nothing is left.
    """
    found = queries.lock_job(db, job_id, owner_of(call))
    rules.next_state(JobState(found.state), Act.RERUN)
    failed = 0 if found.forgotten else queries.reopen_rows(db, job_id)
    rules.require_rerun(failed, _pending(found), validated=found.validated, forgotten=found.forgotten)
    change_state(
        db,
        found,
        Act.RERUN,
        call.now,
        refused=found.refused - failed,
        attempt=found.attempt + 1,
        finished_at=None,
        code="",
        field="",
    )
    _record(db, call, found, {"state": JobState.RUNNING, "attempt": found.attempt + 1})


def make_report(db: Session, call: Call, job_id: uuid.UUID) -> None:
    """Make the report once more, when its file has expired.

    Raises Conflict for a job that runs, for one whose rows were erased, and for an export.
    """
    found = queries.lock_job(db, job_id, owner_of(call))
    if not found.header:
        raise Conflict("shared.file_expired")  # it would be as of now: that is another export, with a reason of its own
    if found.state not in RESTING:
        raise Conflict("shared.job_not_ended")
    if found.forgotten or not found.validated:
        raise Conflict("shared.job_forgotten")
    queries.update_job(db, job_id, report_due=True)
    _record(db, call, found, {"report_due": True})


def open_download(db: Session, call: Call, job_id: uuid.UUID) -> dict[str, Any]:
    """A token with which this account may fetch the job's file, once, within minutes. Raises Conflict without a file."""
    found = _with_file(db, call, job_id)
    account_id = call.authorise_own()
    token = secrets.token_urlsafe(32)
    expires_at = call.now + rules.DOWNLOAD_LIFETIME
    queries.add_download(db, job_id, account_id, _hash(token), expires_at)
    _record(db, call, found, {"rows": found.total})
    return {"token": token, "expires_at": expires_at}


def redeem_download(db: Session, call: Call, job_id: uuid.UUID, token: str) -> dict[str, Any]:
    """Where the file lies, for a token that is then used up.

    Raises NotFound("shared.download_unknown") for any other token, Conflict when the file is gone.
    """
    found = _with_file(db, call, job_id)
    if not queries.use_download(db, job_id, owner_of(call), _hash(token), call.now):
        raise NotFound("shared.download_unknown")
    _record(db, call, found, {"rows": found.total, "sha256": found.file["sha256"]})
    return {"file": found.file, "kind": found.kind}


def _with_file(db: Session, call: Call, job_id: uuid.UUID) -> Any:
    found = queries.lock_job(db, job_id, owner_of(call))
    if found.file is None:
        raise Conflict("shared.file_expired" if found.file_expires_at else "shared.file_not_ready")
    if not rules.is_open(found.file_expires_at, call.now):
        raise Conflict("shared.file_expired")
    return found


# --- shared by the runner -------------------------------------------------------------------------------------------


class Judge:
    """Judges the rows of one job by their form: what is sealed and stored, and how many are refused."""

    def __init__(self, kind: Kind, header: Sequence[str], cipher: FieldCipher, job_id: uuid.UUID) -> None:
        self._kind, self._header, self._cipher, self._job_id = kind, header, cipher, job_id
        self._repetitions = Repetitions(kind.repeats)
        self.refused = 0

    def judge(
        self,
        rows: Iterable[tuple[int, Sequence[str]]],
        foresee: Callable[[Sequence[JobRow]], Mapping[int, Fault]] | None = None,
    ) -> list[dict[str, Any]]:
        """Numbered rows as `queries.insert_rows` takes them: PENDING those that may be done."""
        read = [(number, cells, self._read(cells)) for number, cells in rows]
        foreseen: Mapping[int, Fault] = {}
        if foresee:
            waiting = [JobRow(number, values) for number, _, values in read if not isinstance(values, Fault)]
            foreseen = foresee(waiting) if waiting else {}
        judged = []
        for number, cells, values in read:
            fault = values if isinstance(values, Fault) else foreseen.get(number)
            self.refused += fault is not None
            judged.append(self._row(number, cells, fault, again=number in foreseen))
        return judged

    def _row(self, number: int, cells: Sequence[str], fault: Fault | None, *, again: bool) -> dict[str, Any]:
        return {
            "number": number,
            "cells_sealed": seal_texts(self._cipher, self._job_id, number, "cells", cells),
            "outcome": Outcome.REFUSED if fault else Outcome.PENDING,
            "code": fault.code if fault else "",
            "field": fault.field if fault else "",
            "again": again,
        }

    def _read(self, cells: Sequence[str]) -> Mapping[str, str] | Fault:
        values = read_cells(cells, self._header, self._kind.columns)
        if isinstance(values, Fault):
            return values
        return self._repetitions.find(values) or (self._kind.check(values) if self._kind.check else None) or values


def seal_texts(cipher: FieldCipher, job_id: uuid.UUID, number: int, field: str, texts: Sequence[str]) -> str:
    return cipher.seal(json.dumps(list(texts), ensure_ascii=False), ROW_TABLE, job_id, f"{number}.{field}")


def open_texts(cipher: FieldCipher, job_id: uuid.UUID, number: int, field: str, sealed: str) -> list[str]:
    """The texts of a row; none once they were erased."""
    return json.loads(cipher.open(sealed, ROW_TABLE, job_id, f"{number}.{field}")) if sealed else []


def change_state(db: Session, found: Any, act: Act, now: dt.datetime, **changes: Any) -> JobState:
    """Take the act's transition. A job with rows that comes to rest gets its report."""
    state = rules.next_state(JobState(found.state), act)
    if state not in rules.UNFINISHED:
        changes.setdefault("finished_at", now)
    # The command line prints what became of its rows, so nobody would fetch a report of its jobs.
    report = state in RESTING and found.validated and bool(found.header) and found.account_id is not None
    queries.update_job(db, found.job_id, state=state, changed_at=now, report_due=report, **changes)
    return state


def owner_of(call: Call) -> uuid.UUID | None:
    """Whose jobs the caller means; None for the command line, which has its own."""
    return call.actor.account_id


def territory(call: Call, policy: Policy) -> str:
    """The widest place of the caller's grants that the kind asks for."""
    return min(call.actor.places(policy.roles), key=len, default=NATION)


def counts_of(found: Any) -> dict[str, int]:
    names = ("total", "created", "changed", "unchanged", "refused")
    return {**{name: getattr(found, name) for name in names}, "pending": _pending(found)}


def _pending(found: Any) -> int:
    return int(found.total - found.created - found.changed - found.unchanged - found.refused)


def _require_room(db: Session, call: Call) -> None:
    if owner_of(call) is not None:
        queries.lock_owner(db, owner_of(call))
        rules.require_room(queries.count_unfinished(db, owner_of(call)))


def _insert(db: Session, call: Call, kind: Kind | Export, **values: Any) -> dict[str, Any]:
    made = {
        "job_id": new_id(),
        "kind": kind.name,
        "account_id": owner_of(call),
        "address": call.actor.address,
        "created_at": call.now,
        "changed_at": call.now,
        **values,
    }
    db.execute(sa.insert(job).inline().values(**made))
    audit.record(
        db,
        call,
        subject=None,
        place=made["place"],
        reason=made.get("reason", ""),
        after={"job_id": str(made["job_id"]), "kind": kind.name, "state": str(made["state"])},
    )
    return made


def _record(db: Session, call: Call, found: Any, after: Mapping[str, Any]) -> None:
    audit.record(
        db,
        call,
        subject=None,
        place=found.place,
        reason=found.reason,
        before={"state": found.state},
        after={"job_id": str(found.job_id), "kind": found.kind, **{name: str(each) for name, each in after.items()}},
    )


def _checked(schema: type[Schema], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The parameters as they came, to be loaded again by each chunk. Raises InvalidInput("shared.invalid"), naming the first fault."""
    try:
        schema().load(given)
    except ValidationError as error:
        field, message = first_fault(error.messages)
        raise InvalidInput("shared.invalid", f"{where}.{field}", message) from None
    return dict(given)


def _hash(token: str) -> bytes:
    # 256 random bits: nobody guesses one, so a fast hash protects the stored side.
    return hashlib.sha256(token.encode()).digest()
