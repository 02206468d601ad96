"""A large export through a whole job, against COPY of the same rows and against openpyxl writing the same cells.

One runner, in this process, with credits over its database and no bus: what is asked is what the work on a row costs, and
whether memory grows with the file. The names come from a stand-in of identity: what disclosing people costs there is no
part of this.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import importlib
import json
import tempfile
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg

from services.shared.settings import Settings
from yanxiu.bench import floors, ledgers, results, usage
from yanxiu.bench.cases import Alone, BenchError, Case, Report, measure
from yanxiu.bench.ledgers import PROVINCE
from yanxiu.bench.results import Finding

YEAR = 2023
COUNTY = f"{PROVINCE}/450100/450100"
GOAL_SHEET = 1.5  # openpyxl's write-only mode is what others write such a file with
GOAL_MILLION = 120.0  # CPU seconds of a million rows: a minute on two cores (`performance.md` S9)
GOAL_GROWTH_MB = 64  # of the process, whatever the file's length
AGAINST = ("copy", "sheet")
OUR_SECONDS = 600.0
REASON = "bench of exports"
ROWS = """
    SELECT y.teacher_id, p.school_name, y.year, y.state, y.body -> 'pack' ->> 'unit', y.body -> 'verification' ->> 'total',
        y.body -> 'verification' ->> 'amounts', y.body -> 'verification' ->> 'shortfalls', y.met,
        y.body -> 'cycle' ->> 'total', y.body -> 'cycle' ->> 'met', y.frozen_at, y.hash
    FROM year_verification AS y JOIN placement AS p USING (teacher_id) WHERE y.year = 2023 ORDER BY p.place, p.teacher_id
"""


@dataclasses.dataclass(frozen=True)
class Outcome:
    mode: str
    rows: int
    findings: list[Finding]
    goals: list[dict[str, Any]]


class Directory:
    """Identity as an export sees it."""

    def call(self, _service: str, method: str, arguments: dict[str, Any], **_options: Any) -> dict[str, Any]:
        if method == "get_profile":
            return {"name": "赵小红"}
        people = [
            {"account_id": each, "name": "张晓明", "learner_no": "G2023000123"} for each in arguments["account_ids"]
        ]
        return {"people": people}


def measure_exports(
    *, rows: int, rounds: int, operations: int, embedded: bool, report: Report, told: Callable[[str], None]
) -> Outcome:
    """Exports of so many frozen years. Raises BenchError when a file does not hold them."""
    _openpyxl()
    with ledgers.empty_ledger(embedded) as (settings, _, owner):
        ledgers.place(owner, rows)
        _freeze(owner)
        told(f"{rows:,} frozen years")
        files = Exports(settings, owner)
        cells = files.require_whole(rows)
        growth = {place: files.growth_mb(place) for place in (COUNTY, PROVINCE)}

        def parts() -> dict[str, set[int]]:
            return {"database": floors.database_pids(settings)}

        asks: dict[str, tuple[str, Callable[[], Any]]] = {
            "copy": ("COPY of the same rows", lambda: _copy(owner)),
            "sheet": ("the same cells by openpyxl, write-only", lambda: _sheet(cells)),
            "export": ("the whole export", files.run),
        }
        cases = [Case(name, words, Alone(ask), parts, caller_counts=True) for name, (words, ask) in asks.items()]
        samples = measure(cases, rounds, operations, report)
        findings = results.find(cases, samples, AGAINST)
        return Outcome(settings.mode.value, rows, findings, _goals(findings, rows, growth))


class Exports:
    """The process type that makes files, and an administrator of the province who asks for them."""

    def __init__(self, settings: Settings, owner: psycopg.Connection) -> None:
        from services.shared.actor import Actor, Grant, Kind, Role
        from services.shared.bus.providers import Environment, instantiate
        from services.shared.ids import new_id
        from services.shared.keys import open_keyring
        from yanxiu.local import processes

        environment = Environment(settings, open_keyring(settings), Directory)
        self._service = instantiate(processes.load_class("credits-bulk"), environment)
        self._head = Actor(
            Kind.PERSON,
            new_id(),
            "TEACHER",
            (Grant(Role.PROVINCE_ADMIN, PROVINCE),),
            new_id(),
            elevated_until=dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        )
        grants = json.dumps([[str(Role.PROVINCE_ADMIN), PROVINCE]])
        owner.execute(
            "INSERT INTO account_grants (account_id, version, grants) VALUES (%s, 1, %s)",
            (self._head.account_id, grants),
        )

    def run(self, place: str = PROVINCE) -> dict[str, Any]:
        """One export from its request to its file; the job as it ended."""
        wanted = {"kind": "export_verifications", "place": place, "reason": REASON, "filters": {"year": YEAR}}
        job: dict[str, Any] = self._ask("request_export", wanted)
        while self._service.runner.run_next(uuid.UUID(job["job_id"])):
            pass
        done: dict[str, Any] = self._ask("get_job", {"job_id": job["job_id"]})
        if done["state"] != "DONE":
            raise BenchError(f"the export ended {done['state']}: {done}")
        return done

    def require_whole(self, rows: int) -> list[list[str]]:
        """The cells of a whole file, as its reader finds them. Raises BenchError unless every year is in it, once."""
        from services.shared.bulk.files import SealedFile

        job_id = self.run()["job_id"]
        token = self._ask("open_download", {"job_id": job_id})["token"]
        redeemed = self._ask("redeem_download", {"job_id": job_id, "token": token})
        with tempfile.TemporaryFile() as file:
            for piece in self._service.files.read(SealedFile.from_wire(redeemed["file"])):
                file.write(piece)
            found = _openpyxl().load_workbook(file, read_only=True).worksheets[0].iter_rows(values_only=True)
            cells = [[str(cell or "") for cell in row] for row in found]
        if len(cells) != rows + 1 or len({row[-1] for row in cells}) != rows + 1:
            raise BenchError(f"the file holds {len(cells) - 1} years, and not each of the {rows} once")
        return cells

    def growth_mb(self, place: str) -> float | None:
        """How many megabytes the process grows at most while it makes a place's file; None where the kernel does not tell."""
        with contextlib.suppress(OSError):
            before = usage.peak_mb(reset=True)
            self.run(place)
            return usage.peak_mb() - before
        return None

    def _ask(self, method: str, arguments: dict[str, Any]) -> Any:
        from services.shared.bus import dispatch
        from services.shared.ids import new_id

        deadline = time.monotonic() + OUR_SECONDS
        return dispatch.run_method(
            self._service, method, arguments, self._head, deadline=deadline, command_id=str(new_id())
        )


def _openpyxl() -> Any:
    """It comes with the requirements of development only. Raises BenchError."""
    try:
        return importlib.import_module("openpyxl")
    except ImportError:
        raise BenchError("openpyxl is not installed: it is one of requirements-dev.in") from None


def _freeze(owner: psycopg.Connection) -> None:
    """A snapshot of the year for everybody, as large as one of a real year; written at once, for what freezing costs is
    another question."""
    from services.credits import schemes
    from services.credits.verification import actions
    from services.credits.verification.queries import Amount

    scheme = schemes.find_scheme(PROVINCE, YEAR)
    assert scheme is not None  # shipped
    amounts = [
        Amount(year, f"source:{number}", "CREDIT", Decimal(4), "", form, probation=False)
        for year in actions.years_of(scheme, YEAR)
        for number, form in enumerate(scheme.pack.categories)
    ]
    body = json.dumps(actions.judge(scheme, YEAR, amounts), ensure_ascii=False)
    owner.execute(
        """
        INSERT INTO year_verification (teacher_id, year, version, state, scheme_id, place, school_id, met, body, hash, frozen_at)
        SELECT teacher_id, %(year)s, 1, 'FROZEN', %(scheme)s, place, school_id, false, %(body)s::jsonb || jsonb_build_object(
            'school', jsonb_build_object('school_id', school_id, 'name', school_name, 'place', place)),
            encode(sha256(teacher_id::text::bytea), 'hex'), now() FROM placement
        """,
        {"year": YEAR, "scheme": scheme.scheme_id, "body": body},
    )
    owner.execute("VACUUM ANALYZE")


def _copy(owner: psycopg.Connection) -> None:
    with owner.cursor().copy(f"COPY ({ROWS}) TO STDOUT (FORMAT csv)") as copy:
        for _ in copy:
            pass


def _sheet(cells: list[list[str]]) -> None:
    workbook = _openpyxl().Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in cells:
        sheet.append(row)
    with tempfile.TemporaryFile() as file:
        workbook.save(file)


def _goals(findings: list[Finding], rows: int, growth: dict[str, float | None]) -> list[dict[str, Any]]:
    found = {finding.name: finding for finding in findings}

    def ratio(name: str, told: str, goal: float | None) -> dict[str, Any]:
        against = found["export"].ratios[name]
        assert against is not None  # nothing takes no time at all
        shown = {"found": round(against.value, 2), "low": round(against.low, 2), "high": round(against.high, 2)}
        return {"name": f"export_to_{name}", "told": told, **shown, "unit": "×", "goal": goal}

    counties = {COUNTY: rows // ledgers.COUNTIES, PROVINCE: rows}
    return [
        ratio("sheet", "the export / openpyxl writing its cells, CPU", GOAL_SHEET),
        ratio("copy", "the export / COPY of its rows, CPU", None),
        {
            "name": "million",
            "told": "a million such rows, CPU",
            "found": round(found["export"].cpu_us / rows, 1),
            "unit": "s",
            "goal": GOAL_MILLION,
        },
        *(
            {
                "name": f"growth_{counties[place]}",
                "told": f"memory that {counties[place]:,} rows take beside the process at rest",
                "found": round(megabytes, 1),
                "unit": "MiB",
                "goal": GOAL_GROWTH_MB,
            }
            for place, megabytes in growth.items()
            if megabytes is not None
        ),
    ]
