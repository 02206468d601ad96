"""The process type that makes PDFs: a small pool of its own, so that nothing else waits behind a render."""

from __future__ import annotations

import uuid
from typing import Any

from services.certs import contract, policy, queries, rendering, schemas
from services.certs.actions import documents, persons
from services.certs.dependencies import CipherProvider, StorageProvider, VerifierProvider
from services.certs.models import Certificate, Document
from services.identity import contract as identity
from services.shared.bus import Call, DatabaseProvider, SettingsProvider, event_handler, offload, query


class CertsRenderService:
    name = contract.RENDER
    policies = policy.RENDER_POLICIES
    database: Any = DatabaseProvider()
    settings: Any = SettingsProvider()
    storage: Any = StorageProvider()
    cipher: Any = CipherProvider()
    verifier: Any = VerifierProvider()

    @query
    def render_certificate(self, call: Call) -> dict[str, Any]:
        """Where the certificate's PDF lies: the kept one, or one made now and kept from now on."""
        certificate_id = call.load(schemas.GetCertificate())["certificate_id"]
        with self.database.read(call) as db:
            certificate = queries.get_certificate(db, certificate_id)
            call.authorise(certificate.teacher_id, missing=queries.NOT_FOUND)
            document = queries.find_document(db, certificate_id)
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
