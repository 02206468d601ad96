"""Deciding in batches who gets a certificate, and writing it: number, holder snapshot, signature, event, all in one go."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs import contract, fonts, queries, rules
from services.certs.actions.projections import table_of, upsert
from services.certs.actions.writing import Holder, Office, certificate_row
from services.certs.models import Certificate, CertificateHistory, Decision, Placement, Programme, Standing
from services.certs.overview import counting
from services.certs.rules import Kind, State
from services.shared import clock, outbox
from services.shared.ids import new_id

# Statements with one row of parameters, executed with many: SQLAlchemy compiles them once, and sends them as one
# INSERT because they return something. With the rows inside the statement, compiling took half of a batch's time.
_CERTIFICATES = table_of(Certificate)
_INSERT_CERTIFICATES = (
    insert(_CERTIFICATES).on_conflict_do_nothing().returning(_CERTIFICATES.c.teacher_id, _CERTIFICATES.c.certificate_id)
)
_INSERT_HISTORY = sa.insert(table_of(CertificateHistory)).returning(CertificateHistory.certificate_id)
_UPSERT_DECISIONS = upsert(Decision).returning(Decision.decision_id)


@dataclasses.dataclass(frozen=True)
class Case:
    """One teacher's standing beside what is known and what was decided before."""

    standing: Standing
    placement: Placement | None
    before: Decision | None
    verdict: rules.Verdict

    @property
    def teacher_id(self) -> uuid.UUID:
        return self.standing.teacher_id

    @property
    def issues(self) -> bool:
        return self.verdict.state is State.ISSUED and (self.before is None or self.before.state != State.ISSUED)


def decide_batch(
    db: Session,
    office: Office,
    programme: Programme,
    teacher_ids: list[uuid.UUID],
    names: Mapping[uuid.UUID, str],
    now: dt.datetime,
) -> int:
    """Decide on the pending standings of these teachers and issue what is due; returns how many were decided.

    `names` holds an answer for every teacher that identity was asked about, "" for one it has no name of. Who turned
    out to be entitled only after the asking stays pending. A standing that another run holds is left to that run.
    """
    standings = queries.lock_pending(db, programme.programme_id, teacher_ids)
    cases = _judge(db, programme, standings, names)
    certificates = _issue(db, office, programme, [case for case in cases if case.issues], names, now)
    settled = [case for case in cases if not case.issues or case.teacher_id in certificates]
    _record(db, settled, certificates, now)
    db.execute(
        sa.update(Standing)
        .where(
            Standing.programme_id == programme.programme_id,
            Standing.teacher_id.in_([case.teacher_id for case in settled]),
        )
        .values(pending=False)
    )
    return len(settled)


def _judge(db: Session, programme: Programme, standings: list[Standing], names: Mapping[uuid.UUID, str]) -> list[Case]:
    teachers = [standing.teacher_id for standing in standings]
    # Read after the lock on the standings: see `projections.reconsider`.
    placements = queries.placements_of(db, teachers)
    decisions = queries.decisions_of(db, programme.programme_id, Kind.LEARNING, teachers)
    cases = []
    for standing in standings:
        placement, before = placements.get(standing.teacher_id), decisions.get(standing.teacher_id)
        verdict = rules.decide(
            State(before.state) if before else State.NOT_DUE,
            standing.facts,
            due=programme.due_at is not None,
            verified=placement is not None and placement.state == "VERIFIED",
            holder_known=names.get(standing.teacher_id) != "",
            # Nothing is printed for who earned nothing: of a season's millions most texts need no look.
            printable=not standing.requirement_met
            or not fonts.unprintable(_printed(programme, placement, names.get(standing.teacher_id, ""))),
        )
        cases.append(Case(standing, placement, before, verdict))
    return cases


def _printed(programme: Programme, placement: Placement | None, name: str) -> str:
    """All text of the paper that comes from people."""
    return name + (placement.school_name if placement else "") + programme.title_zh + programme.title_en


def _issue(
    db: Session,
    office: Office,
    programme: Programme,
    cases: list[Case],
    names: Mapping[uuid.UUID, str],
    now: dt.datetime,
) -> dict[uuid.UUID, uuid.UUID]:
    """Write the certificates; {teacher: certificate} of those that have one now.

    Missing are those whose name was not asked for, and those whose random number is taken: both come up again.
    """
    rows = [
        _certificate(office, programme, case, names[case.teacher_id], now) for case in cases if case.teacher_id in names
    ]
    if not rows:
        return {}
    written = db.execute(_INSERT_CERTIFICATES, rows)
    issued = {row.teacher_id: row.certificate_id for row in written}
    if issued:
        db.execute(
            _INSERT_HISTORY,
            [
                {
                    "certificate_id": certificate_id,
                    "state": State.ISSUED,
                    "teacher_id": teacher_id,
                    "at": now,
                    "actor": f"service:{contract.SERVICE}",
                    "reason": "",
                }
                for teacher_id, certificate_id in issued.items()
            ],
        )
    if left := [row["teacher_id"] for row in rows if row["teacher_id"] not in issued]:
        # A valid certificate without its decision (a restored table): the decision names what is there.
        issued |= queries.valid_certificates(db, programme.programme_id, Kind.LEARNING, left)
    return issued


def _certificate(office: Office, programme: Programme, case: Case, name: str, now: dt.datetime) -> dict[str, Any]:
    assert case.placement is not None  # the rules issue to the verified only
    holder = Holder.named(name)
    statement = rules.Statement(
        number=rules.make_number(now.astimezone(clock.BEIJING).year, secrets.randbelow(rules.RANDOM_RANGE)),
        edition=1,
        kind=Kind.LEARNING,
        programme_code=programme.code,
        programme_zh=programme.title_zh,
        programme_en=programme.title_en,
        opens_on=programme.opens_at.astimezone(clock.BEIJING).date().isoformat(),
        closes_on=last_day(programme.closes_at).isoformat(),
        hours=str(case.standing.hours),
        issued_at=clock.format_instant(now),
        issuer=contract.ISSUER_ZH,
        school_name=case.placement.school_name,
        holder_masked=holder.masked,
        holder_digest=holder.digest,
    )
    return certificate_row(
        office,
        statement,
        holder,
        teacher_id=case.teacher_id,
        programme_id=programme.programme_id,
        template=programme.template,
        issued_at=now,
    )


def last_day(closes_at: dt.datetime) -> dt.date:
    """The last Beijing day of a window whose end is exclusive."""
    return (closes_at - dt.timedelta(microseconds=1)).astimezone(clock.BEIJING).date()


def _record(db: Session, cases: list[Case], certificates: dict[uuid.UUID, uuid.UUID], now: dt.datetime) -> None:
    """Write the decisions that are news, and announce those that others wait for."""
    news = [case for case in cases if _is_news(case)]
    if not news:
        return
    rows = [_decision(case, certificates, now) for case in news]
    db.execute(_UPSERT_DECISIONS, rows)
    moved = {case.teacher_id for case in news if case.before is None or case.before.state != case.verdict.state}
    counting.mark(db, moved, now)
    for event_type, state in (
        (contract.CERTIFICATE_ISSUED, State.ISSUED),
        (contract.CERTIFICATE_BLOCKED, State.BLOCKED),
    ):
        told = [row for row in rows if row["state"] is state and row["teacher_id"] in moved]
        numbers = queries.numbers_of(db, [row["certificate_id"] for row in told if row["certificate_id"]])
        events = [_event(row, numbers) for row in told]
        outbox.announce_many(db, event_type, events)


def _is_news(case: Case) -> bool:
    before = case.before
    return before is None or before.state != case.verdict.state or before.reasons != list(case.verdict.reasons)


def _decision(case: Case, certificates: dict[uuid.UUID, uuid.UUID], now: dt.datetime) -> dict[str, Any]:
    before = case.before
    return {
        "programme_id": case.standing.programme_id,
        "teacher_id": case.teacher_id,
        "kind": Kind.LEARNING,
        "decision_id": before.decision_id if before else new_id(),
        "version": before.version + 1 if before else 1,
        "state": case.verdict.state,
        "reasons": list(case.verdict.reasons),
        "certificate_id": certificates.get(case.teacher_id) or (before.certificate_id if before else None),
        "decided_at": now,
    }


def _event(row: dict[str, Any], numbers: dict[uuid.UUID, str]) -> tuple[uuid.UUID, dict[str, Any]]:
    payload: dict[str, Any] = {
        "teacher_id": str(row["teacher_id"]),
        "programme_id": str(row["programme_id"]),
        "version": row["version"],
        "state": row["state"],
    }
    if row["state"] is State.ISSUED:
        payload["certificate_id"] = str(row["certificate_id"])
        payload["number"] = rules.format_number(numbers[row["certificate_id"]])
    else:
        payload["reasons"] = row["reasons"]
    return row["decision_id"], payload
