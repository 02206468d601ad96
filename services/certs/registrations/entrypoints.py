"""Completion certificates, registered and listed by the institution that issued them."""

from __future__ import annotations

import json
from typing import Any

from services.certs import contract, queries, rules, showing
from services.certs.models import Certificate
from services.certs.registrations import actions, schemas
from services.certs.registrations import queries as registrations
from services.certs.registrations.models import Registration
from services.certs.rules import State
from services.shared.bus import Call, command, query
from services.shared.paging import page_of


class Registrations:
    """Mixed into the service."""

    database: Any
    settings: Any
    office: Any
    names_of: Any  # the service's: the names that identity tells of some teachers

    @command
    def register_completion(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.RegisterCompletion())
        teacher_id = given["teacher_id"]
        with self.database.read(call) as db:
            placement = queries.placement_of(db, teacher_id)
        # Decided before identity is asked for a name; and again inside the transaction.
        place = placement.place if placement else None
        call.authorise(place=place, missing="certs.teacher_unknown", field="teacher_id")
        name = self.names_of([teacher_id])[teacher_id]

        def act(db: Any) -> dict[str, Any]:
            return self._shown(*actions.register_completion(db, call, self.office, given, name))

        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.RegisteredCertificate())
        return reply

    @query
    def list_registrations(self, call: Call) -> dict[str, Any]:
        """What institutions at the caller's own places registered, newest first."""
        arguments = call.load(schemas.ListRegistrations())
        limit = arguments["limit"]
        places = sorted(call.actor.places(call.policy.roles))
        call.authorise(place=places[0], missing="certs.teacher_unknown")
        with self.database.read(call) as db:
            found = registrations.list_registered(db, places, arguments["cursor"], limit + 1)
        return page_of(
            found,
            limit,
            lambda pair: schemas.RegisteredCertificate().dump(self._shown(*pair)),
            lambda pair: str(pair[1].certificate_id),
        )

    def _shown(self, registration: Registration, certificate: Certificate) -> dict[str, Any]:
        signed = json.loads(certificate.statement)
        return {
            "certificate_id": certificate.certificate_id,
            "number": rules.format_number(certificate.number),
            "edition": certificate.edition,
            "state": showing.PUBLIC_STATES[State(certificate.state)],
            "holder_name": showing.masked_name(certificate),
            "school_name": certificate.school_name,
            "institution": signed["issuer"],
            "issued_number": registration.issued_number,
            "title_zh": signed["programme_zh"],
            "title_en": signed["programme_en"],
            "started_on": signed["opens_on"],
            "ended_on": signed["closes_on"],
            "hours": certificate.hours,
            "registered_at": registration.registered_at,
            "verification_url": contract.verification_url(self.settings.base_url, certificate.number),
        }
