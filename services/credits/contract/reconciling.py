"""The daily proof of the ledger: its event."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

RECONCILIATION_FAILED: Final = "credits.reconciliation_failed"


class ReconciliationFailed(Schema):
    """Evidence, ledger and standings of a programme do not agree: nobody may rely on its hours before people have looked."""

    programme_id = fields.UUID(required=True)
    day = fields.String(required=True)  # of the proof, in Beijing
    differences = fields.Integer(required=True)  # found so far


EVENTS: Final[dict[str, type[Schema]]] = {RECONCILIATION_FAILED: ReconciliationFailed}
