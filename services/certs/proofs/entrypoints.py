"""Certificates on request. What others know is asked before the transaction, for no call is made inside one."""

from __future__ import annotations

import uuid
from typing import Any

from services.certs import schemas as certificates
from services.certs import showing
from services.certs.models import Certificate
from services.certs.proofs import actions, schemas
from services.credits import contract as credits  # noqa: A004  named as its neighbours are
from services.shared.bus import Call, command


class Proofs:
    """Mixed into the service."""

    database: Any
    settings: Any
    office: Any
    bus: Any
    names_of: Any  # the service's: the names that identity tells of some teachers

    @command
    def request_study_proof(self, call: Call) -> dict[str, Any]:
        programme_id = call.load(schemas.RequestStudyProof())["programme_id"]
        teacher_id = call.authorise_own()
        name = self.names_of([teacher_id])[teacher_id]
        return self._issued(
            call, lambda db: actions.issue_study_proof(db, call, self.office, teacher_id, programme_id, name)
        )

    @command
    def request_credit_certificate(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RequestCreditCertificate())
        teacher_id = call.authorise_own()
        year = self.bus.ask_for(call.actor, credits.SERVICE, "get_year_sheet", arguments)
        assert uuid.UUID(year["teacher_id"]) == teacher_id
        name = self.names_of([teacher_id])[teacher_id]
        return self._issued(
            call, lambda db: actions.issue_credit_certificate(db, call, self.office, teacher_id, year, name)
        )

    def _issued(self, call: Call, act: Any) -> dict[str, Any]:
        def shown(db: Any) -> dict[str, Any]:
            certificate: Certificate = act(db)
            return showing.summary(certificate, self.settings.base_url)

        reply: dict[str, Any] = self.database.commit_once(call, shown, certificates.CertificateSummary())
        return reply
