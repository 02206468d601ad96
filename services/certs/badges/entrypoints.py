"""Badges, status lists and the DID document, for anybody: what verifiers all over the world fetch."""

from __future__ import annotations

from typing import Any

from services.certs import rules, showing
from services.certs.actions import documents
from services.certs.badges import building, proofs, queries, schemas
from services.shared.bus import Call, query
from services.shared.errors import NotFound


class Badges:
    """Mixed into the service."""

    database: Any
    settings: Any
    office: Any
    verifier: Any

    @query
    def get_credential(self, call: Call) -> dict[str, Any]:
        """One edition of a certificate as a signed Open Badge, whatever became of it: that its status list says.

        Raises NotFound as verification does: for what is no number, is unknown, or does not fit its signature.
        """
        given = call.load(schemas.GetCredential())
        number = showing.read_number(given["number"])
        with self.database.read(call) as db:
            certificate = queries.find_edition(db, number, given["edition"])
        if not documents.is_genuine(self.verifier, certificate) or certificate is None:
            raise NotFound("certs.number_unknown", "number")
        signed = rules.read_statement(certificate.statement)
        badge = building.credential(signed, certificate.status_index, self.settings.base_url)
        return {"credential": self._proved(badge)}

    @query
    def get_status_list(self, call: Call) -> dict[str, Any]:
        """Which certificates of a list were revoked or replaced, signed."""
        list_number = call.load(schemas.GetStatusList())["list_number"]
        with self.database.read(call) as db:
            if not queries.has_list(db, list_number):
                raise NotFound("certs.status_list_unknown", "list_number")
            ended = queries.list_ended(db, list_number)
        at = building.whole_minute(call.now)
        return {"credential": self._proved(building.status_list(list_number, ended, self.settings.base_url, at))}

    @query
    def get_did_document(self, _call: Call) -> dict[str, Any]:
        keys = {key_id: key.public_bytes_raw() for key_id, key in self.verifier.keys.items()}
        return {"document": building.did_document(keys, self.settings.base_url)}

    def _proved(self, document: dict[str, Any]) -> dict[str, Any]:
        did = building.did_of(self.settings.base_url)
        return proofs.signed(document, self.office.signer, did, document["validFrom"])
