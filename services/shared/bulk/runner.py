"""Runs jobs: claims one, does one stage of it, gives it back. Killed at any point, the next runner goes on from there.

What a chunk of rows does and what became of each row commit in one transaction, which also holds the lease; so a row is
done once. What other services do for a chunk comes before, under command ids that are the same when it comes again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.shared import clock
from services.shared.actor import Actor, Desk, Grant, service_actor
from services.shared.actor import Kind as ActorKind
from services.shared.bulk import actions, queries
from services.shared.bulk.columns import Fault, read_cells, read_header
from services.shared.bulk.files import SealedFile, SealedFiles
from services.shared.bulk.kinds import Chunk, Export, JobRow, Kind, Result
from services.shared.bulk.rules import FILE_LIFETIME, Act, JobState, Outcome
from services.shared.bulk.writing import export_sheet, report_sheet, watermark
from services.shared.bus.calls import Call
from services.shared.crypto import FieldCipher, SealError
from services.shared.database import TRANSIENT_STATES, Database, is_outage
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError, Unavailable
from services.shared.policy import Policy
from services.shared.spreadsheet import Limits, open_rows

log = structlog.get_logger(__name__)

# A hundred thousand rows of twenty columns; measured, the reader takes a tenth of this memory.
LIMITS = Limits(
    file_bytes=24 << 20,
    rows=100_001,
    unpacked_bytes=512 << 20,
    characters=40_000_000,
    memory_bytes=1 << 30,
    cpu_seconds=60,
    seconds=120,
)
BATCH_ROWS = 500  # validated, or written into a file, between two looks at the lease
CHUNK_SECONDS = 30.0
ATTEMPTS = 3  # of a chunk that lost a race in the database
HELD_SECONDS = 5.0  # before a job is tried again whose neighbours were away


class NotOursError(Exception):
    """The lease is gone, or the job was cancelled: whatever this transaction did must not commit."""


class RightsGoneError(Exception):
    """The owner may not do this any more; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclasses.dataclass(frozen=True)
class Workshop:
    """What the runner needs of the service that mounts it."""

    service: Any
    owner: str  # the service's name
    database: Database
    files: SealedFiles
    cipher: FieldCipher
    kinds: Mapping[str, Kind | Export]
    read_grants: Callable[[Session, uuid.UUID], tuple[Grant, ...]]
    name_of: Callable[[Actor], str]  # the owner's masked name, for the watermark
    text_of: Callable[[str], str]  # a code in Chinese, for the report


class Runner:
    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._database = workshop.database

    def run_next(self, job_id: uuid.UUID | None = None) -> bool:
        """Do one stage of a waiting job (of `job_id`, for the command line); whether there was one."""
        with self._database.work() as db:
            found = queries.claim(db, job_id)
        if found is None:
            return False
        pause = 0.0
        try:
            self._do_stage(found)
        except NotOursError:
            log.info("job_left", job_id=str(found.job_id))
        except Unavailable as error:
            pause = HELD_SECONDS
            log.warning("job_held", job_id=str(found.job_id), code=error.code)
        except Exception as error:
            pause = HELD_SECONDS
            if is_outage(error):
                raise
            log.exception("job_stage_failed", job_id=str(found.job_id), state=found.state)
        finally:
            self._give_back(found, pause)
        return True

    def _give_back(self, found: Any, pause: float) -> None:
        try:
            with self._database.work() as db:
                queries.release(db, found.job_id, found.lease, pause)
        except Exception as error:
            # The lease then ends by itself.
            if not is_outage(error):
                raise

    def _do_stage(self, found: Any) -> None:
        kind = self._shop.kinds.get(found.kind)
        if kind is None:
            raise Unavailable("shared.job_kind_unknown", "", found.kind)  # a newer release's job, during a deployment
        if isinstance(kind, Export):
            self._run_export(found, kind)
        elif found.state in (JobState.UPLOADED, JobState.VALIDATING):
            self._validate(found, kind)
        elif found.state == JobState.RUNNING:
            self._run_chunk(found, kind)
        elif found.report_due:
            self._report(found, kind)

    def _ours(self, db: Session, found: Any, *states: JobState) -> Any:
        """The job as it is now, locked and leased for longer. Raises NotOursError when it is no longer ours to do."""
        now = queries.renew(db, found.job_id, found.lease)
        if now is None or now.state not in states:
            raise NotOursError
        return now

    # --- as whom ---

    def _call(self, found: Any, policy: Policy, method: str) -> Call:
        """A call as the job's owner, with the grants that the owner holds at this moment. Raises RightsGoneError."""
        actor = service_actor("cli") if found.account_id is None else self._actor(found)
        try:
            policy.admit(actor)
        except NotAllowed:
            raise RightsGoneError("shared.rights_gone") from None
        return Call(
            service=self._shop.owner,
            method=method,
            arguments={},
            actor=actor,
            policy=policy,
            deadline=time.monotonic() + CHUNK_SECONDS,
            call_id=f"job:{found.job_id}",
        )

    def _actor(self, found: Any) -> Actor:
        with self._database.work() as db:
            grants = self._shop.read_grants(db, found.account_id)
        return Actor(
            kind=ActorKind.PERSON,
            account_id=found.account_id,
            identity="TEACHER",
            grants=grants,
            address=found.address,
            desk=Desk.ADMINISTRATOR,
            # Proved when the job was asked for; the proof covers what was asked, however long that takes.
            elevated_until=clock.now() + FILE_LIFETIME,
        )

    # --- from a file to rows ---

    def _validate(self, found: Any, kind: Kind) -> None:
        with self._database.work() as db:
            now = self._ours(db, found, JobState.UPLOADED, JobState.VALIDATING)
            actions.change_state(db, now, Act.VALIDATE, clock.now(), header=[], total=0, refused=0)
            queries.delete_rows(db, found.job_id)  # of a runner that died
        upload = SealedFile.from_wire(found.upload)
        try:
            with open_rows(self._shop.files.read(upload), LIMITS) as rows:
                first = next(rows, None)
                if first is None:
                    raise InvalidInput("shared.no_rows", "file")
                header = read_header(first.cells, kind.columns)
                total, refused = self._store_rows(found, kind, header, rows)
            if not total:
                raise InvalidInput("shared.no_rows", "file")
        except InvalidInput as error:
            self._refuse(found, error.code, error.field)
        except (SealError, NotFound):
            self._refuse(found, "shared.file_damaged", "file")
        except RightsGoneError as error:
            self._refuse(found, error.code, "")
        else:
            self._present(found, header, total, refused)
        self._shop.files.forget(upload.pieces)

    def _store_rows(self, found: Any, kind: Kind, header: list[str], rows: Iterator[Any]) -> tuple[int, int]:
        judge, total = actions.Judge(kind, header, self._shop.cipher, found.job_id), 0

        def foresee(waiting: Sequence[JobRow]) -> Mapping[int, Fault]:
            # Nobody looks at the preview of a job that starts at once, and its rows are told the same when they are done.
            if kind.foresee is None or found.at_once:
                return {}
            return kind.foresee(self._shop.service, self._call(found, kind.policy, kind.name), waiting)

        while batch := list(itertools.islice(rows, BATCH_ROWS)):
            judged = judge.judge(((row.number, row.cells) for row in batch), foresee)
            total += len(judged)
            with self._database.work() as db:
                self._ours(db, found, JobState.VALIDATING)
                queries.insert_rows(db, found.job_id, judged)
                queries.update_job(db, found.job_id, total=total, refused=judge.refused)
        return total, judge.refused

    def _present(self, found: Any, header: list[str], total: int, refused: int) -> None:
        with self._database.work() as db:
            self._ours(db, found, JobState.VALIDATING)
            queries.update_job(db, found.job_id, header=header, total=total, refused=refused, validated=True)
            now = self._ours(db, found, JobState.VALIDATING)
            actions.change_state(db, now, Act.PRESENT, clock.now())
            if found.at_once:
                now = self._ours(db, found, JobState.READY)
                actions.change_state(db, now, Act.START, clock.now())

    def _refuse(self, found: Any, code: str, field: str) -> None:
        with self._database.work() as db:
            now = self._ours(db, found, JobState.VALIDATING, JobState.RUNNING)
            queries.delete_rows(db, found.job_id)
            changes = {"total": 0, "created": 0, "refused": 0, "code": code, "field": field[:100]}
            actions.change_state(db, now, Act.REFUSE, clock.now(), **changes)

    # --- rows ---

    def _run_chunk(self, found: Any, kind: Kind) -> None:
        with self._database.work() as db:
            rows = queries.list_pending_rows(db, found.job_id, kind.chunk_rows)
        if not rows:
            self._end(found, Act.FINISH)
            return
        waiting = [JobRow(row.number, self._values(found, kind, row)) for row in rows]
        try:
            self._do_rows(found, kind, waiting)
        except RightsGoneError as error:
            self._end(found, Act.STOP, error.code)

    def _values(self, found: Any, kind: Kind, row: Any) -> Mapping[str, str]:
        cells = actions.open_texts(self._shop.cipher, found.job_id, row.number, "cells", row.cells_sealed)
        values = read_cells(cells, found.header, kind.columns)
        # It was judged when it came; a kind whose columns changed since then has a fault to tell.
        return values if isinstance(values, dict) else {}

    def _do_rows(self, found: Any, kind: Kind, rows: Sequence[JobRow]) -> None:
        """Do the rows and commit; on an error of ours in halves, so that one row's trouble holds up no other."""
        try:
            self._commit_rows(found, kind, rows)
        except (NotOursError, RightsGoneError, Unavailable):
            raise
        except Exception as error:
            if is_outage(error):
                raise
            if len(rows) > 1:
                middle = len(rows) // 2
                self._do_rows(found, kind, rows[:middle])
                self._do_rows(found, kind, rows[middle:])
                return
            log.exception("row_failed", job_id=str(found.job_id), row=rows[0].number)
            refusal = error if isinstance(error, ServiceError) else Unavailable("shared.defect")
            with self._database.work() as db:
                self._ours(db, found, JobState.RUNNING)
                self._write(db, found, {rows[0].number: Result.refused(refusal)})

    def _commit_rows(self, found: Any, kind: Kind, rows: Sequence[JobRow]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            call = self._call(found, kind.policy, kind.name)
            parameters = kind.parameters().load(found.parameters)
            chunk = Chunk(self._shop.service, call, rows, parameters, _key_of(found, rows))
            if kind.prepare:
                chunk = dataclasses.replace(chunk, prepared=_prepared(kind.prepare, chunk))
            try:
                with self._database.transaction(call) as db:
                    self._ours(db, found, JobState.RUNNING)
                    results = kind.run(db, chunk)
                    _require_authorised(call, results)
                    self._write(db, found, results)
                return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in TRANSIENT_STATES or attempt == ATTEMPTS:
                    raise
                time.sleep(0.05 * attempt)

    def _write(self, db: Session, found: Any, results: Mapping[int, Result]) -> None:
        cipher, job_id = self._shop.cipher, found.job_id
        rows = [
            {
                "number": number,
                "outcome": result.outcome,
                "code": result.code,
                "field": result.field,
                "told": actions.seal_texts(cipher, job_id, number, "told", [result.told]) if result.told else "",
            }
            for number, result in results.items()
        ]
        if queries.write_outcomes(db, job_id, rows) != len(rows):
            raise NotOursError  # somebody else did some of them: then all of this is his
        queries.count_outcomes(db, job_id, [result.outcome for result in results.values()], clock.now())

    def _end(self, found: Any, act: Act, code: str = "") -> None:
        with self._database.work() as db:
            now = self._ours(db, found, JobState.RUNNING)
            actions.change_state(db, now, act, clock.now(), code=code)

    # --- files ---

    def _report(self, found: Any, kind: Kind) -> None:
        """Write the rows as they came, each with what became of it."""

        def pages() -> Iterator[Sequence[Any]]:
            after = 0
            while True:
                with self._database.work() as db:
                    self._ours(db, found, JobState(found.state))
                    page = queries.list_rows(db, found.job_id, None, after, BATCH_ROWS)
                if not page:
                    return
                yield page
                after = page[-1].number

        file = report_sheet(self._shop.files, found, kind, pages(), self._shop.cipher, self._shop.text_of)
        self._keep_file(found, file, report_due=False)

    def _run_export(self, found: Any, kind: Export) -> None:
        try:
            call = self._call(found, kind.policy, kind.name)
            total = kind.count(self._shop.service, call, kind.scope_of(found))
            _require_export_size(kind, total)
            with self._database.work() as db:
                self._ours(db, found, JobState.RUNNING)
                queries.update_job(db, found.job_id, total=total)
            notes = watermark(found, kind, self._shop.name_of(call.actor), clock.now())
            file, rows = export_sheet(self._shop.files, kind, notes, self._export_pages(found, kind))
        except RightsGoneError as error:
            self._end(found, Act.STOP, error.code)
        except InvalidInput as error:
            self._refuse(found, error.code, error.field)
        else:
            self._keep_file(found, file, act=Act.FINISH, total=rows, created=rows)

    def _export_pages(self, found: Any, kind: Export) -> Iterator[Sequence[Sequence[str]]]:
        """The export page by page, each under the rights of its moment."""
        after, rows = None, 0
        while True:
            call = self._call(found, kind.policy, kind.name)
            page = kind.read(self._shop.service, call, kind.scope_of(found), after)
            call.require_authorised()
            rows += len(page.rows)
            _require_export_size(kind, rows)
            with self._database.work() as db:
                self._ours(db, found, JobState.RUNNING)
                queries.update_job(db, found.job_id, created=rows)
            yield page.rows
            if page.next is None:
                return
            after = page.next

    def _keep_file(self, found: Any, file: SealedFile, act: Act | None = None, **changes: Any) -> None:
        """Give the job its file in place of an older one; a file that nobody wants any more goes."""
        now = clock.now()
        facts = {"file": file.to_wire(), "file_expires_at": now + FILE_LIFETIME, **changes}
        try:
            with self._database.work() as db:
                current = self._ours(db, found, JobState(found.state))
                queries.update_job(db, found.job_id, **facts)
                if act:
                    actions.change_state(db, current, act, now)
        except BaseException:
            self._shop.files.forget(file.pieces)
            raise
        if found.file:
            self._shop.files.forget(found.file["pieces"])


def _prepared(prepare: Callable[[Chunk], Any], chunk: Chunk) -> Any:
    """What `prepare` found. Raises Unavailable while another service still works on what a dead runner told it."""
    try:
        return prepare(chunk)
    except Conflict as error:
        if error.code == "shared.in_progress":
            raise Unavailable(error.code) from error
        raise


def _key_of(found: Any, rows: Sequence[JobRow]) -> str:
    """Names this attempt at these rows. No client's Idempotency-Key can begin with a slash."""
    which = hashlib.sha256(",".join(str(row.number) for row in rows).encode()).hexdigest()[:16]
    return f"/job/{found.job_id}/{found.attempt}/{which}"


def _require_export_size(kind: Export, rows: int) -> None:
    if rows > kind.longest:
        raise InvalidInput("shared.export_too_large")


def _require_authorised(call: Call, results: Mapping[int, Result]) -> None:
    """Nothing may have been done to a target that was never checked: a defect, so the chunk is undone."""
    if any(result.outcome in (Outcome.CREATED, Outcome.CHANGED) for result in results.values()):
        call.require_authorised()
