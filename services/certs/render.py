"""The process type that makes PDFs: a small pool of its own, so that nothing else waits behind a render."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.certs import contract, policy, printouts, queries, rendering, schemas, sheets
from services.certs.actions import documents, persons
from services.certs.dependencies import CipherProvider, StorageProvider, VerifierProvider
from services.certs.models import Certificate, Document
from services.certs.prerender.entrypoints import Prerender
from services.certs.shares import queries as shares
from services.certs.shares.schemas import OpenShare
from services.credits import contract as credits  # noqa: A004  named as its neighbours are
from services.identity import contract as identity
from services.shared import audit
from services.shared.bus import (
    BusProvider,
    Call,
    DatabaseProvider,
    SettingsProvider,
    command,
    event_handler,
    offload,
    query,
)
from services.shared.errors import Conflict, InvalidInput
from services.shared.ids import new_id

PAGE = 200  # years in one answer of credits


class CertsRenderService(Prerender):
    name = contract.RENDER
    policies = policy.RENDER_POLICIES
    database: Any = DatabaseProvider()
    settings: Any = SettingsProvider()
    storage: Any = StorageProvider()
    cipher: Any = CipherProvider()
    verifier: Any = VerifierProvider()
    bus: Any = BusProvider()

    @query
    def render_certificate(self, call: Call) -> dict[str, Any]:
        """Where the certificate's PDF lies: the kept one, or one made now and kept from now on."""
        certificate_id = call.load(schemas.GetCertificate())["certificate_id"]
        with self.database.read(call) as db:
            certificate = queries.get_certificate(db, certificate_id)
            call.authorise(certificate.teacher_id, missing=queries.NOT_FOUND)
            document = queries.find_document(db, certificate_id)
        return self._stored(call, certificate, document)

    @query
    def render_shared(self, call: Call) -> dict[str, Any]:
        """The same for whoever was given a link; opening it is what is counted. Raises NotFound for any other token."""
        token = call.load(OpenShare())["token"]
        with self.database.read(call) as db:
            certificate = queries.get_certificate(db, shares.get_by_token(db, token, call.now).certificate_id)
            document = queries.find_document(db, certificate.certificate_id)
        return self._stored(call, certificate, document)

    def _stored(self, call: Call, certificate: Certificate, document: Document | None) -> dict[str, Any]:
        self.somebody_asks()
        # Also for a kept PDF: what has been revoked, or no longer fits its signature, is not handed out.
        paper = documents.prepare_paper(self.cipher, self.verifier, certificate, self.settings.base_url)
        document = document or self._make_document(call, certificate, paper)
        return schemas.RenderedDocument().dump(
            {
                "storage_key": document.storage_key,
                "sha256": document.sha256,
                "size": document.size,
                "file_name": f"certificate-{certificate.number}.pdf",
            }
        )

    # --- verification: nothing is kept of these, so nothing has to be destroyed with its person ---

    @query
    def render_year_sheet(self, call: Call) -> dict[str, Any]:
        """The own yearly verification as PDF; only of a frozen year."""
        arguments = call.load(schemas.RenderYearSheet())
        call.authorise_own()
        year = self.bus.ask_for(call.actor, credits.SERVICE, "get_year_sheet", arguments)
        person = self.bus.ask_for(call.actor, identity.SERVICE, "get_profile", {})
        return _reply(offload(sheets.render_year, year, person, None), f"year-{year['year']}.pdf")

    @command
    def render_teacher_sheet(self, call: Call) -> dict[str, Any]:
        """A teacher's yearly verification as PDF, with the name, for those who may export it."""
        arguments = call.load(schemas.RenderTeacherSheet())
        teacher_id = arguments["teacher_id"]
        with self.database.read(call) as db:
            placement = queries.placement_of(db, teacher_id)
            place = placement.place if placement else ""
            call.authorise(place=place, missing="credits.no_scheme")
        asked = {"year": arguments["year"], "teacher_id": str(teacher_id)}
        year = self.bus.ask_for(call.actor, credits.SERVICE, "get_year_sheet", asked)
        people, printing = self._disclosed(call, [str(teacher_id)], arguments["reason"])
        if not people:
            raise Conflict("certs.person_unreachable")
        pdf = offload(sheets.render_year, year, people[str(teacher_id)], printing)
        return self._printed(call, pdf, f"year-{year['year']}.pdf", printing, teacher_id, place, 1)

    @command
    def render_school_list(self, call: Call) -> dict[str, Any]:
        """The frozen years of a place's teachers as one PDF, for those who may export them."""
        arguments = call.load(schemas.RenderSchoolList())
        place = arguments["place"]
        call.authorise(place=place, missing="credits.no_scheme")
        years = self._years(call, {"year": arguments["year"], "place": place})
        people, printing = self._disclosed(call, [year["teacher_id"] for year in years], arguments["reason"])
        pdf = offload(sheets.render_list, arguments["year"], place, years, people, printing)
        return self._printed(call, pdf, f"years-{arguments['year']}.pdf", printing, None, place, len(years))

    @query
    def render_document(self, call: Call) -> dict[str, Any]:
        """A document of another owner as PDF (`contract.document`); asked by the gateway only, which names the file."""
        document = call.load(schemas.RenderDocument())["document"]
        return _reply(offload(printouts.render_document, document), "document.pdf")

    def _years(self, call: Call, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while len(found) <= sheets.LONGEST_LIST:
            page = {**asked, "limit": PAGE, "cursor": cursor}
            reply = self.bus.ask_for(call.actor, credits.SERVICE, "list_year_verifications", page)
            found += reply["items"]
            if (cursor := reply["next_cursor"]) is None:
                break
        if not found:
            raise Conflict("certs.list_empty")
        if len(found) > sheets.LONGEST_LIST:
            raise InvalidInput("certs.list_too_long", "place")
        return found

    def _disclosed(
        self, call: Call, account_ids: list[str], reason: str
    ) -> tuple[dict[str, dict[str, Any]], sheets.Printing]:
        """The people, each on record at identity, and what the page says of its printing."""
        printing_id = new_id()
        people: dict[str, dict[str, Any]] = {}
        for start in range(0, len(account_ids), identity.PEOPLE_AT_ONCE):
            asked = {
                "account_ids": account_ids[start : start + identity.PEOPLE_AT_ONCE],
                "reason": reason,
                "job_id": str(printing_id),
            }
            # As an export's pages: the answer is kept nowhere, and a repeated one discloses and records again.
            command_id = f"/printing/{printing_id}/{start}"
            told = self.bus.tell_for(call.actor, identity.SERVICE, "disclose_people", asked, command_id)
            people |= {person["account_id"]: person for person in told["people"]}
        name = str(self.bus.ask_for(call.actor, identity.SERVICE, "get_profile", {})["name"])
        return people, sheets.Printing(printing_id, name[:1] + "*" * len(name[1:]), call.now, reason)

    def _printed(
        self,
        call: Call,
        pdf: bytes,
        file_name: str,
        printing: sheets.Printing,
        teacher_id: uuid.UUID | None,
        place: str,
        years: int,
    ) -> dict[str, Any]:
        def record(db: Session) -> dict[str, Any]:
            after = {"printing_id": str(printing.printing_id), "years": years}
            audit.record(db, call, subject=teacher_id, place=place, reason=printing.reason, after=after)
            return _reply(pdf, file_name)

        # The reply holds names: it is kept nowhere, and printing again is harmless.
        printed: dict[str, Any] = self.database.commit_once(call, record, keep_reply=False)
        return printed

    @event_handler(identity.person.PERSON_ERASED)
    def on_person_erased(self, db, event):
        # The files go before the commit: an event that is tried again finds their keys still there.
        for key in persons.erase_holder(db, uuid.UUID(event.payload["account_id"])):
            self.storage.delete(key)

    def _make_document(self, call: Call, certificate: Certificate, paper: rendering.Paper) -> Document:
        pdf = offload(rendering.render, paper)
        # When the record fails the file stays behind: deleting it could lose a document whose commit only seemed to fail.
        file = self.storage.put(documents.AREA, pdf, "application/pdf")
        with self.database.transaction(call) as db:
            document = documents.keep_document(db, certificate, file, call.now)
        if document.storage_key != file.key:
            self.storage.delete(file.key)
        return document


def _reply(pdf: bytes, file_name: str) -> dict[str, Any]:
    """The PDF itself: some dozens of kilobytes, far below what a message holds."""
    return {
        "content": base64.b64encode(pdf).decode(),
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "file_name": file_name,
    }
