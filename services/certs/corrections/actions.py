"""Proposing a correction, and what its approval does: all of its certificates or none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs import contract, fonts, queries, rules
from services.certs.actions.changing import change_state
from services.certs.actions.documents import open_holder
from services.certs.actions.projections import table_of
from services.certs.actions.writing import Holder, Office, certificate_row
from services.certs.contract import CorrectionAct, CorrectionState
from services.certs.corrections import queries as corrections
from services.certs.corrections import rules as correcting
from services.certs.corrections.models import CorrectedCertificate, Correction
from services.certs.corrections.queries import CorrectionView
from services.certs.models import Certificate, Decision, MovedCertificate, Standing
from services.certs.rules import Kind, Reason, State
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

FIELD = "certificate_ids"


def propose_correction(
    db: Session, call: Call, act: CorrectionAct, certificate_ids: Sequence[uuid.UUID], reason: str
) -> CorrectionView:
    """Ask for the same correction of some certificates, for another person to decide.

    Raises NotFound for a certificate that the caller does not reach, Conflict for one that is not valid, or is in
    another open correction ("certs.correction_open"), NotAllowed for one of the caller's own.
    """
    call.authorise(place=contract.ISSUER_PLACE, missing=queries.NOT_FOUND)
    wanted = sorted(set(certificate_ids))
    found = corrections.get_certificates(db, wanted)
    if len(found) < len(wanted):
        raise NotFound(queries.NOT_FOUND, FIELD)
    correcting.require_not_own(call.actor.account_id, {each.teacher_id for each in found})
    _require_valid(found)
    assert call.actor.account_id is not None  # the policy admits persons only
    correction = Correction(
        correction_id=new_id(),
        act=act,
        state=CorrectionState.PROPOSED,
        place=contract.ISSUER_PLACE,
        reason=reason,
        proposed_by=call.actor.account_id,
        proposed_at=call.now,
        decision_reason="",
    )
    db.add(correction)
    db.flush()
    _let_lapse(db, wanted, call.now)
    rows = [
        {
            "correction_id": correction.correction_id,
            "certificate_id": certificate_id,
            "place": correction.place,
            "is_open": True,
        }
        for certificate_id in wanted
    ]
    items = table_of(CorrectedCertificate)
    taken = db.execute(insert(items).values(rows).on_conflict_do_nothing().returning(items.c.certificate_id)).all()
    if len(taken) < len(wanted):
        raise Conflict("certs.correction_open", FIELD)
    _record(db, call, correction, found, before="")
    return _view(db, correction)


def withdraw_correction(db: Session, call: Call, correction_id: uuid.UUID) -> CorrectionView:
    """Take the own proposal back. Raises Conflict once it is settled, "certs.not_proposer" for another's."""
    correction = _open(db, call, correction_id)
    if call.actor.account_id != correction.proposed_by:
        raise Conflict("certs.not_proposer")
    return _settle(db, call, correction, CorrectionState.WITHDRAWN, "")


def reject_correction(db: Session, call: Call, correction_id: uuid.UUID, reason: str) -> CorrectionView:
    """Leave the certificates as they are, with the reason. Refused as `approve_correction` is for who decides."""
    correction = _open(db, call, correction_id)
    _require_decider(db, call, correction)
    return _settle(db, call, correction, CorrectionState.REJECTED, reason)


def approve_correction(
    db: Session, call: Call, office: Office, correction_id: uuid.UUID, names: Mapping[uuid.UUID, str]
) -> CorrectionView:
    """Do it, to all certificates of the correction or to none.

    `names` are the holders' names of now, for a re-issue. Raises NotAllowed for the proposer and for holders, Conflict for
    a correction that is settled, and for a certificate that changed since (its number is the detail).
    """
    correction = _open(db, call, correction_id)
    _require_decider(db, call, correction)
    # Standings before certificates, as every decision locks them: see `_lock_standings`.
    _lock_standings(db, correction_id)
    pairs = corrections.lock_items(db, correction_id)
    _require_valid([certificate for _, certificate in pairs])
    for item, certificate in pairs:
        if CorrectionAct(correction.act) is CorrectionAct.REVOKE:
            _revoke(db, call, correction, certificate)
        else:
            item.successor_id = _reissue(db, call, office, correction, certificate, names)
    return _settle(db, call, correction, CorrectionState.APPROVED, "")


# --- what is done to one certificate -----------------------------------------------------------------------------------


def _revoke(db: Session, call: Call, correction: Correction, certificate: Certificate) -> None:
    change_state(db, certificate, State.REVOKED, actor=call.actor.key, reason=correction.reason, now=call.now)
    version = _decide_anew(db, certificate, State.REVOKED, [Reason.REVOKED], certificate, call.now)
    _announce(db, contract.CERTIFICATE_REVOKED, certificate, version, {})


def _reissue(
    db: Session,
    call: Call,
    office: Office,
    correction: Correction,
    certificate: Certificate,
    names: Mapping[uuid.UUID, str],
) -> uuid.UUID:
    """Replace the certificate by the next edition of its number; returns that one's id."""
    hours = _hours_now(db, certificate)
    holder = _holder_now(office, certificate, names.get(certificate.teacher_id, ""), hours)
    statement = dataclasses.replace(
        rules.read_statement(certificate.statement),
        edition=certificate.edition + 1,
        hours=str(hours),
        issued_at=clock.format_instant(call.now),
        holder_masked=holder.masked,
        holder_digest=holder.digest,
    )
    row = certificate_row(
        office,
        statement,
        holder,
        teacher_id=certificate.teacher_id,
        programme_id=certificate.programme_id,
        template=certificate.template,
        issued_at=call.now,
    )
    change_state(db, certificate, State.REPLACED, actor=call.actor.key, reason=correction.reason, now=call.now)
    successor = Certificate(**row)
    db.add(successor)
    change_state(db, successor, State.ISSUED, actor=call.actor.key, reason=correction.reason, now=call.now)
    _keep_way_back(db, certificate, successor)
    version = _decide_anew(db, certificate, State.ISSUED, [], successor, call.now)
    more = {"replaces": str(certificate.certificate_id), "edition": successor.edition, "hours": str(hours)}
    _announce(db, contract.CERTIFICATE_REISSUED, successor, version, more)
    return successor.certificate_id


def _hours_now(db: Session, certificate: Certificate) -> Decimal:
    """The recognised hours of today; those of the certificate where no standing is left (its person was merged).

    Raises Conflict("certs.hours_short") below the programme's requirement.
    """
    standing = db.get(Standing, (certificate.programme_id, certificate.teacher_id))
    if standing is None:
        return certificate.hours
    if not standing.requirement_met:
        raise Conflict("certs.hours_short", FIELD, certificate.number)
    return standing.hours


def _holder_now(office: Office, certificate: Certificate, name: str, hours: Decimal) -> Holder:
    """Raises Conflict: "certs.holder_unknown", "certs.name_not_printable", "certs.nothing_to_correct"."""
    if not name:
        raise Conflict("certs.holder_unknown", FIELD, certificate.number)
    if fonts.unprintable(name):
        raise Conflict("certs.name_not_printable", FIELD, certificate.number)
    if open_holder(office.cipher, certificate).name == name and hours == certificate.hours:
        raise Conflict("certs.nothing_to_correct", FIELD, certificate.number)
    return Holder.named(name)


def _decide_anew(
    db: Session,
    certificate: Certificate,
    state: State,
    reasons: list[Reason],
    names: Certificate,
    now: dt.datetime,
) -> int:
    """Let the decision that rests on a certificate say what became of it; returns the version of the news.

    By certificate and not by teacher: after a merge the decision may still be the former account's, or there is none.
    """
    of_it = (Decision.programme_id == certificate.programme_id, Decision.certificate_id == certificate.certificate_id)
    version = certificate.edition + 1
    for decision in db.scalars(sa.select(Decision).where(*of_it).with_for_update()):
        version = decision.version = max(version, decision.version + 1)
        decision.state, decision.reasons, decision.decided_at = state, list(reasons), now
        decision.certificate_id = names.certificate_id
    db.flush()
    return version


def _keep_way_back(db: Session, certificate: Certificate, successor: Certificate) -> None:
    """When its person's merge is undone, the successor goes back to the account that the certificate came from."""
    if moved := db.get(MovedCertificate, certificate.certificate_id):
        back = {"merged_id": moved.merged_id, "superseded": moved.superseded}
        db.add(MovedCertificate(certificate_id=successor.certificate_id, **back))
        db.flush()


def _announce(db: Session, event_type: str, certificate: Certificate, version: int, more: dict[str, Any]) -> None:
    # The events tell of seasons: whoever hears of one takes its hours in or back. Other kinds bring no hours anywhere.
    if certificate.kind != Kind.LEARNING:
        return
    payload = {
        "teacher_id": str(certificate.teacher_id),
        "programme_id": str(certificate.programme_id),
        "version": version,
        "state": certificate.state,
        "certificate_id": str(certificate.certificate_id),
        "number": rules.format_number(certificate.number),
        **more,
    }
    outbox.announce_many(db, event_type, [(certificate.certificate_id, payload)])


# --- parts --------------------------------------------------------------------------------------------------------------


def _open(db: Session, call: Call, correction_id: uuid.UUID) -> Correction:
    correction = corrections.lock_correction(db, correction_id)
    call.authorise(place=correction.place, missing=corrections.NOT_FOUND)
    correcting.require_open(CorrectionState(correction.state), correction.proposed_at, call.now)
    return correction


def _require_decider(db: Session, call: Call, correction: Correction) -> None:
    correcting.require_second_person(call.actor.account_id, correction.proposed_by)
    correcting.require_not_own(call.actor.account_id, corrections.list_holders(db, correction.correction_id))


def _require_valid(certificates: Sequence[Certificate]) -> None:
    """Raises Conflict with the code of the state that is in the way."""
    for certificate in certificates:
        if certificate.state != State.ISSUED:
            code = rules.TransitionError(State(certificate.state), State.REVOKED).code
            raise Conflict(code, FIELD, certificate.number)


def _lock_standings(db: Session, correction_id: uuid.UUID) -> None:
    """Keep the decision run away: it leaves locked standings alone, and finds them pending the next time."""
    of_it = (
        sa.select(Certificate.programme_id, Certificate.teacher_id)
        .join(CorrectedCertificate, CorrectedCertificate.certificate_id == Certificate.certificate_id)
        .where(CorrectedCertificate.correction_id == correction_id)
    )
    keys = sa.tuple_(Standing.programme_id, Standing.teacher_id)
    select = sa.select(Standing.teacher_id).where(keys.in_(of_it)).order_by(Standing.teacher_id)
    db.execute(select.with_for_update())


def _let_lapse(db: Session, certificate_ids: Sequence[uuid.UUID], now: dt.datetime) -> None:
    """Write down what lapsed of these certificates, so that they are free for a new proposal."""
    lapsed = (
        sa.select(CorrectedCertificate.correction_id)
        .join(Correction, Correction.correction_id == CorrectedCertificate.correction_id)
        .where(
            CorrectedCertificate.certificate_id.in_(certificate_ids),
            CorrectedCertificate.is_open,
            Correction.proposed_at <= now - correcting.PROPOSAL_LIVES,
        )
    )
    for correction_id in db.scalars(lapsed).unique().all():
        correction = corrections.lock_correction(db, correction_id)
        if correction.state == CorrectionState.PROPOSED:
            _close(db, correction, CorrectionState.LAPSED, now)


def _settle(db: Session, call: Call, correction: Correction, state: CorrectionState, reason: str) -> CorrectionView:
    before = correction.state
    correction.decided_by, correction.decision_reason = call.actor.account_id, reason
    _close(db, correction, state, call.now)
    view = _view(db, correction)
    _record(db, call, correction, [certificate for _, certificate in view.items], before)
    return view


def _close(db: Session, correction: Correction, state: CorrectionState, now: dt.datetime) -> None:
    correction.state, correction.decided_at = state, now
    db.flush()
    of_it = CorrectedCertificate.correction_id == correction.correction_id
    db.execute(sa.update(CorrectedCertificate).where(of_it).values(is_open=False))


def _record(db: Session, call: Call, correction: Correction, certificates: Sequence[Certificate], before: str) -> None:
    """One audit row for each holder and certificate."""
    acts = [
        audit.Act(
            certificate.teacher_id,
            correction.place,
            correction.decision_reason or correction.reason,
            {"correction": before} if before else {},
            {
                "correction": correction.state,
                "correction_id": str(correction.correction_id),
                "act": correction.act,
                "certificate_id": str(certificate.certificate_id),
                "state": certificate.state,
            },
        )
        for certificate in certificates
    ]
    audit.record_many(db, call, acts)


def _view(db: Session, correction: Correction) -> CorrectionView:
    [view] = corrections.views(db, [correction])
    return view
