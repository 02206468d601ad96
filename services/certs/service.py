"""Entrypoints of certs: wallet, standing, verification; the events it lives on; the job that decides and issues."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import structlog

from services.catalog import contract as catalog
from services.certs import contract, policy, queries, schemas, showing
from services.certs.actions import deciding, documents, persons, projections
from services.certs.actions.persons import Merge
from services.certs.badges.entrypoints import Badges
from services.certs.corrections.entrypoints import Corrections
from services.certs.dependencies import OfficeProvider, VerifierProvider
from services.certs.exports.models import AccountGrants
from services.certs.holds.entrypoints import Holds
from services.certs.models import Programme
from services.certs.overview.entrypoints import Overview
from services.certs.projections import PROJECTIONS
from services.certs.proofs.entrypoints import Proofs
from services.certs.registrations.entrypoints import Registrations
from services.certs.rules import Kind
from services.certs.shares.entrypoints import Shares
from services.credits.contract import HOURS_RECOGNISED, RECOGNITION_CLOSED
from services.identity import contract as identity
from services.org import contract as org
from services.shared import clock
from services.shared.account_grants import keep_grants
from services.shared.audit_trail import AuditTrail
from services.shared.bus import (
    BusProvider,
    Call,
    DatabaseProvider,
    SettingsProvider,
    batch_consumer,
    event_handler,
    periodic,
    query,
)
from services.shared.database import is_outage
from services.shared.errors import NotFound, ServiceError
from services.shared.paging import page_of

log = structlog.get_logger(__name__)

# Also the size of one decision transaction: small enough that a crash costs a blink.
BATCH = min(200, identity.PEOPLE_AT_ONCE)
# A run gives up its turn after this, so that stopping the process never waits long for it.
RUN_SECONDS = 10.0


class CertsService(Badges, Corrections, Holds, Overview, Proofs, Registrations, Shares, AuditTrail):
    """Certificates of finished programmes."""

    name = contract.SERVICE
    policies = policy.POLICIES
    projections = PROJECTIONS
    database: Any = DatabaseProvider()
    settings: Any = SettingsProvider()
    bus: Any = BusProvider()
    office: Any = OfficeProvider()
    verifier: Any = VerifierProvider()

    # --- questions ---

    @query
    def list_certificates(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListCertificates())
        limit = arguments["limit"]
        teacher_id = call.authorise_own()
        with self.database.read(call) as db:
            found = queries.list_certificates(db, teacher_id, arguments["cursor"], limit + 1)
        page = page_of(
            found,
            limit,
            lambda certificate: showing.summary(certificate, self.settings.base_url),
            lambda certificate: certificate.certificate_id,
        )
        return schemas.CertificatePage().dump(page)

    @query
    def get_standing(self, call: Call) -> dict[str, Any]:
        programme_id = call.load(schemas.GetStanding())["programme_id"]
        teacher_id = call.authorise_own()
        with self.database.read(call) as db:
            programme = queries.get_programme(db, programme_id)
            found = queries.find_standing(db, programme_id, teacher_id)
            decision = queries.find_decision(db, programme_id, teacher_id, Kind.LEARNING)
        return schemas.Standing().dump(showing.standing(programme, found, decision))

    @query
    def get_certificate(self, call: Call) -> dict[str, Any]:
        """The certificate; its holder reads the full name, an administrator the masked one."""
        certificate_id = call.load(schemas.GetCertificate())["certificate_id"]
        with self.database.read(call) as db:
            certificate = queries.get_certificate(db, certificate_id)
            placement = queries.placement_of(db, certificate.teacher_id)
            place = placement.place if placement else None
            call.authorise(certificate.teacher_id, place, missing=queries.NOT_FOUND)
            history = queries.history_of(db, [certificate_id])
        own = call.actor.account_id == certificate.teacher_id
        name = documents.open_holder(self.office.cipher, certificate).name if own else showing.masked_name(certificate)
        return schemas.Certificate().dump(showing.detail(certificate, name, history, self.settings.base_url))

    @query
    def verify_certificate(self, call: Call) -> dict[str, Any]:
        """What anybody may know about a number. Raises NotFound for a number that is none, unknown, or not genuine.

        An unknown number takes the same steps as a known one, so that the time tells nothing either.
        """
        number = showing.read_number(call.load(schemas.VerifyCertificate())["number"])
        found = self._verified(call, [number])[number]
        if found is None:
            raise NotFound("certs.number_unknown", "number")
        return schemas.Verification().dump(found)

    @query
    def verify_certificates(self, call: Call) -> dict[str, Any]:
        """The same of up to 200 numbers at once, an answer for each in the order asked; none of them spoils the others."""
        typed = call.load(schemas.VerifyCertificates())["numbers"]
        numbers = [showing.try_number(each) for each in typed]
        known = self._verified(call, [number for number in numbers if number])
        items = [showing.answer(each, number, known) for each, number in zip(typed, numbers, strict=True)]
        return schemas.Answers().dump({"items": items})

    @query
    def list_certificate_keys(self, _call: Call) -> dict[str, Any]:
        """The public keys that signatures are checked with, as a JSON Web Key Set."""
        return self.verifier.published()

    def _verified(self, call: Call, numbers: list[str]) -> dict[str, dict[str, Any] | None]:
        """{number: what a stranger learns of it}; None of one that is unknown, or whose record is not genuine."""
        with self.database.read(call) as db:
            editions = queries.editions_of(db, numbers)
            ids = [certificate.certificate_id for each in editions.values() for certificate in each]
            history = queries.history_of(db, ids)
        found: dict[str, dict[str, Any] | None] = {}
        for number in numbers:
            known = editions.get(number, [])
            genuine = documents.is_genuine(self.verifier, known[0] if known else None)
            found[number] = showing.verification(known, history) if genuine else None
        return found

    # --- what others announce ---

    @event_handler(catalog.PROGRAMME_PUBLISHED)
    def on_programme_published(self, db, event):
        projections.keep_programme(db, event.payload)

    @event_handler(catalog.PROGRAMME_CLOSED)
    def on_programme_closed(self, db, event):
        projections.close_programme(db, event.payload)

    @event_handler(org.MEMBERSHIP_CHANGED)
    def on_membership_changed(self, db, event):
        projections.keep_membership(db, event.payload)

    @event_handler(org.GRANTS_CHANGED)
    def on_grants_changed(self, db, event):
        keep_grants(db, AccountGrants, event.payload)

    @event_handler(identity.PROFILE_CHANGED)
    def on_profile_changed(self, db, event):
        if event.payload["complete"]:
            projections.reconsider(db, uuid.UUID(event.payload["account_id"]))

    @event_handler(identity.person.PERSONS_MERGED)
    def on_persons_merged(self, db, event):
        persons.keep_merge(db, Merge.of(event.payload, live=True), clock.now())

    @event_handler(identity.person.MERGE_UNDONE)
    def on_merge_undone(self, db, event):
        persons.keep_merge(db, Merge.of(event.payload, live=False), clock.now())

    @event_handler(RECOGNITION_CLOSED)
    def on_recognition_closed(self, db, event):
        projections.make_due(db, event.payload, clock.now())

    @batch_consumer(HOURS_RECOGNISED)
    def record_standings(self, db, messages):
        projections.keep_standings(db, [message.event().payload for message in messages])

    # --- deciding ---

    @periodic(2.0, job="decide_certificates")
    def decide_certificates(self, now: dt.datetime) -> None:
        """Decide on what is pending in finished programmes, a batch of each in turn.

        It may stop or die anywhere: each batch is one transaction, and what is left stays pending. While identity does
        not answer for names it gives up its turn.
        """
        until = time.monotonic() + RUN_SECONDS
        with self.database.work() as db:
            waiting: dict[Programme, uuid.UUID | None] = dict.fromkeys(queries.list_due_programmes(db))
        try:
            while waiting:
                for programme, after in list(waiting.items()):
                    if time.monotonic() > until:
                        return
                    waiting[programme] = self._decide_next(programme, after, now)
                    if waiting[programme] is None:
                        del waiting[programme]
        except ServiceError as error:
            log.warning("decisions_wait", code=error.code)

    @periodic(600.0, job="reconsider_blocked")
    def reconsider_blocked(self, _now: dt.datetime) -> None:
        """Find those who are blocked for want of a verification that has arrived."""
        with self.database.work() as db:
            if marked := projections.reconsider_blocked(db):
                log.warning("blocked_without_reason", teachers=marked)

    @periodic(86_400.0, job="reconsider_unprintable")
    def reconsider_unprintable(self, _now: dt.datetime) -> None:
        """Try the names again that no font could print: once a day, and so after each release."""
        with self.database.work() as db:
            if marked := projections.reconsider_unprintable(db):
                log.info("unprintable_names_tried_again", teachers=marked)

    def _decide_next(self, programme: Programme, after: uuid.UUID | None, now: dt.datetime) -> uuid.UUID | None:
        """Decide one batch; the last teacher in it, or None when there was nobody left."""
        with self.database.work() as db:
            teachers = queries.list_pending(db, programme.programme_id, after, BATCH)
            entitled = queries.list_entitled(db, programme.programme_id, teachers)
        if not teachers:
            return None
        self._decide(programme, teachers, self.names_of(entitled), now)
        return teachers[-1]

    def _decide(
        self, programme: Programme, teachers: list[uuid.UUID], names: dict[uuid.UUID, str], now: dt.datetime
    ) -> None:
        """Decide in one transaction; on an error in halves, so that one teacher's trouble holds up nobody else."""
        try:
            with self.database.work() as db:
                deciding.decide_batch(db, self.office, programme, teachers, names, now)
        except Exception as error:
            if is_outage(error):
                raise
            if len(teachers) == 1:
                log.exception("decision_failed", teacher_id=str(teachers[0]), programme_id=str(programme.programme_id))
                return
            middle = len(teachers) // 2
            self._decide(programme, teachers[:middle], names, now)
            self._decide(programme, teachers[middle:], names, now)

    def names_of(self, teacher_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The names to print, asked outside any transaction; "" for a teacher that identity has none of."""
        if not teacher_ids:
            return {}
        asked = [str(teacher_id) for teacher_id in teacher_ids]
        holders = self.bus.ask(identity.SERVICE, "get_holders", {"account_ids": asked})["items"]
        known = {uuid.UUID(holder["account_id"]): holder["name"] for holder in holders}
        return {teacher_id: known.get(teacher_id) or "" for teacher_id in teacher_ids}
