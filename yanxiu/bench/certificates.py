"""Certificates decided, signed and written by the batch, against a bare UNNEST insert of all rows that they leave; and a page
rendered, against the same page by typst alone.

In this process over a database of its own. Names come from identity by the batch, outside the transaction, and are given here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from services.shared import clock
from services.shared.settings import Settings
from yanxiu.bench import floors, ground, results
from yanxiu.bench.batches import ByTheBatch, Copy, goal, owner_of
from yanxiu.bench.cases import Alone, BenchError, Case, Report, Sample, measure
from yanxiu.bench.results import Finding

COUNTY = "CN/440000/440100/440103"
SCHOOLS = 40
PAGES_PER_ROUND = 20
# `performance.md`: a third of the bare insert's speed, seven tenths of a bare page's; as multiples of their cost.
ISSUE_GOAL, RENDER_GOAL = 1 / 0.3, 1 / 0.7
ISSUE, INSERT, RENDER, TYPST = "issue", "insert", "render", "typst"
# What a batch leaves.
TABLES = ("certificate", "certificate_history", "decision", "outbox", "certificate_count_due")


@dataclasses.dataclass(frozen=True)
class Outcome:
    mode: str
    findings: list[Finding]
    goals: list[dict[str, Any]]


def measure_certificates(*, rounds: int, operations: int, embedded: bool, report: Report) -> Outcome:
    """`operations` teachers in each round. Raises BenchError unless each has exactly one certificate, and it is genuine."""
    from services.shared.bus.providers import Environment, instantiate
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher, processes

    with (
        # The broker has no part in this.
        ground.own_ground(embedded=embedded, own_vhost=True) as (asked, _),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, "certs")
        service = instantiate(processes.load_class("certs"), Environment(settings, keyring, lambda: None))
        with owner_of(settings, "certs") as owner:
            issuing = Issuing(settings, service, owner, operations)
            written = measure(issuing.cases(), rounds, operations, report, lambda: issuing.prepare(operations))
            issuing.require_truth()
            findings = results.find(issuing.cases(), written, (INSERT,))
            paper = issuing.paper()
        pages = _pages(paper, (rounds + 1) * PAGES_PER_ROUND)
        rendered = measure(pages, rounds, PAGES_PER_ROUND, report)
        findings += results.find(pages, rendered, (TYPST,))
        service.database.dispose()
    return Outcome(settings.mode.value, findings, _goals(written, rendered))


class Issuing:
    """New teachers in each turn, all of whom have earned it; and the rows of the first turn for the bare insert."""

    def __init__(self, settings: Settings, service: Any, owner: psycopg.Connection, teachers: int) -> None:
        from services.certs.service import BATCH

        self._settings, self._service, self._owner, self._batch = settings, service, owner, BATCH
        self._programme_id = uuid.uuid4()
        owner.execute(
            "INSERT INTO programme (programme_id, version, code, title_zh, title_en, opens_at, closes_at, template, due_at)"
            " VALUES (%s, 1, 'bench-season', '寒假教师研修', 'Winter training', now() - interval '60 days',"
            " now() - interval '1 day', 'learning-certificate', now())",
            (self._programme_id,),
        )
        self._issue = ByTheBatch(self._decide, BATCH)
        self._issue.ready = self._teachers(teachers)
        self._issue.run(teachers)
        self._copies = [Copy(owner, name, name, -(-teachers // BATCH)) for name in TABLES]
        self._turn = 0
        self._insert = ByTheBatch(self._insert_rows, BATCH)

    def cases(self) -> list[Case]:
        def parts() -> dict[str, set[int]]:
            return {"database": floors.database_pids(self._settings)}

        return [
            Case(INSERT, "bare UNNEST insert of all rows left", self._insert, parts, caller_counts=True),
            Case(ISSUE, "decided, signed, sealed, written", self._issue, parts, caller_counts=True),
        ]

    def prepare(self, teachers: int) -> None:
        self._issue.ready = self._insert.ready = self._teachers(teachers)
        self._turn = 0
        for copy in self._copies:
            self._owner.execute(copy.emptied)
        self._owner.execute("ANALYZE")

    def require_truth(self) -> None:
        """Raises BenchError unless everybody has one valid, genuine certificate, also after deciding again."""
        from services.certs.actions.documents import is_genuine
        from services.certs.models import Certificate

        self._owner.execute("UPDATE standing SET pending = true")
        again = ByTheBatch(self._decide, self._batch)
        again.ready = self._issue.done
        again.run(len(again.ready))
        holders = self._owner.execute("SELECT teacher_id FROM certificate WHERE state = 'ISSUED'").fetchall()
        if sorted(each for (each,) in holders) != sorted(self._issue.done):
            raise BenchError(f"{len(holders)} certificates for {len(self._issue.done)} teachers")
        with self._service.database.work() as db:
            for certificate in db.query(Certificate).limit(100):
                if not is_genuine(self._service.verifier, certificate):
                    raise BenchError(f"{certificate.number} is not genuine")

    def paper(self) -> Any:
        """What one of them prints."""
        from services.certs.actions.documents import prepare_paper
        from services.certs.models import Certificate

        with self._service.database.work() as db:
            certificate = db.query(Certificate).limit(1).one()
            office, verifier = self._service.office, self._service.verifier
            return prepare_paper(office.cipher, verifier, certificate, self._settings.base_url)

    def _teachers(self, count: int) -> list[uuid.UUID]:
        from services.shared.ids import new_id

        teachers = [new_id() for _ in range(count)]
        self._owner.execute(
            "INSERT INTO placement (teacher_id, version, state, place, school_id, school_name, effective_at)"
            " SELECT id, 1, 'VERIFIED', %s || '/s' || n %% %s, gen_random_uuid(), '实验小学', now()"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS new (id, n)",
            (COUNTY, SCHOOLS, teachers),
        )
        self._owner.execute(
            "INSERT INTO standing (programme_id, teacher_id, version, hours, courses_done, courses_total, requirement_met,"
            " pending) SELECT %s, id, 1, 6, 5, 5, true, true FROM unnest(%s::uuid[]) AS new (id)",
            (self._programme_id, teachers),
        )
        return teachers

    def _decide(self, batch: Sequence[uuid.UUID]) -> None:
        from services.certs import queries
        from services.certs.actions.deciding import decide_batch

        names = dict.fromkeys(batch, "张小明")
        with self._service.database.work() as db:
            programme = queries.get_programme(db, self._programme_id)
            decided = decide_batch(db, self._service.office, programme, list(batch), names, clock.now())
        if decided != len(batch):
            raise BenchError(f"{decided} of {len(batch)} were decided")

    def _insert_rows(self, _batch: Sequence[uuid.UUID]) -> None:
        with self._owner.transaction():
            for copy in self._copies:
                if rows := copy.parts[self._turn]:
                    self._owner.execute(copy.statement, [list(column) for column in zip(*rows, strict=True)])
        self._turn += 1


def _pages(paper: Any, pages: int) -> list[Case]:
    """A page as the service renders it, and typst alone with the same template, fonts, data and standard."""
    import typst

    from services.certs import rendering

    # typst remembers what it has set: no page may come twice, or its memory would be measured.
    papers = (dataclasses.replace(paper, holder_name=f"张{number}") for number in itertools.count())
    others = (dataclasses.replace(paper, holder_name=f"李{number}") for number in range(pages))
    ready = iter([json.dumps(rendering.page_data(other), ensure_ascii=False) for other in others])
    template = rendering.template_file(paper.template)

    def alone() -> None:
        typst.Compiler(
            root=str(rendering.TEMPLATES), font_paths=rendering.open_fonts(), ignore_system_fonts=True
        ).compile(
            input=str(template),
            format="pdf",
            sys_inputs={"certificate": next(ready)},
            timestamp=int(dt.datetime.now(dt.UTC).timestamp()),
            pdf_standards=[rendering.PDF_STANDARD],
        )

    def parts() -> dict[str, set[int]]:
        return {}

    def case(name: str, told: str, act: Callable[[], Any]) -> Case:
        return Case(name, told, Alone(act), parts, caller_counts=True)

    return [
        case(TYPST, "typst alone, the data made before", alone),
        case(
            RENDER,
            "a certificate rendered, QR code and checks of glyphs included",
            lambda: rendering.render(next(papers)),
        ),
    ]


def _goals(written: dict[str, list[Sample]], rendered: dict[str, list[Sample]]) -> list[dict[str, Any]]:
    return [
        goal("issue", "issuing / bare insert of all rows left", written, ISSUE, (INSERT,), ISSUE_GOAL),
        goal("render", "rendering / typst alone", rendered, RENDER, (TYPST,), RENDER_GOAL),
    ]
