"""Corrections of certificates: proposed by one person of the issuer, decided by another (`domain.md` §3.18)."""

from __future__ import annotations

from typing import Any

from services.certs import contract
from services.certs.contract import CorrectionAct
from services.certs.corrections import actions, queries, schemas
from services.certs.corrections.queries import CorrectionView
from services.shared.bus import Call, command, query
from services.shared.paging import page_of


class Corrections:
    """Mixed into the service."""

    database: Any
    office: Any
    names_of: Any  # the service's: the names that identity tells of some teachers

    @command
    def propose_correction(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.ProposeCorrection())
        return self._commit_correction(call, lambda db: actions.propose_correction(db, call, **given))

    @command
    def withdraw_correction(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.CorrectionId())
        return self._commit_correction(call, lambda db: actions.withdraw_correction(db, call, **given))

    @command
    def reject_correction(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.RejectCorrection())
        return self._commit_correction(call, lambda db: actions.reject_correction(db, call, **given))

    @command
    def approve_correction(self, call: Call) -> dict[str, Any]:
        """Do what was proposed. The names of now are asked before the transaction, for no call is made inside one."""
        correction_id = call.load(schemas.CorrectionId())["correction_id"]
        with self.database.read(call) as db:
            correction = queries.get_correction(db, correction_id)
            call.authorise(place=correction.place, missing=queries.NOT_FOUND)
            holders = (
                queries.list_holders(db, correction_id)
                if CorrectionAct(correction.act) is CorrectionAct.REISSUE
                else []
            )
        names = self.names_of(holders)
        return self._commit_correction(
            call, lambda db: actions.approve_correction(db, call, self.office, correction_id, names)
        )

    @query
    def get_correction(self, call: Call) -> dict[str, Any]:
        correction_id = call.load(schemas.CorrectionId())["correction_id"]
        with self.database.read(call) as db:
            correction = queries.get_correction(db, correction_id)
            call.authorise(place=correction.place, missing=queries.NOT_FOUND)
            [view] = queries.views(db, [correction])
            return schemas.Correction().dump(view.as_shown(call.now))

    @query
    def list_corrections(self, call: Call) -> dict[str, Any]:
        """Newest first; those that wait with `state=PROPOSED`."""
        arguments = call.load(schemas.ListCorrections())
        limit = arguments["limit"]
        call.authorise(place=contract.ISSUER_PLACE, missing=queries.NOT_FOUND)
        with self.database.read(call) as db:
            found = queries.list_corrections(
                db, [contract.ISSUER_PLACE], arguments["state"], arguments["cursor"], limit + 1, call.now
            )
            shown = queries.views(db, found)
            return page_of(
                shown,
                limit,
                lambda view: schemas.Correction().dump(view.as_shown(call.now)),
                lambda view: str(view.correction.correction_id),
            )

    def _commit_correction(self, call: Call, act: Any) -> dict[str, Any]:
        def shown(db: Any) -> dict[str, Any]:
            view: CorrectionView = act(db)
            return view.as_shown(call.now)

        reply: dict[str, Any] = self.database.commit_once(call, shown, schemas.Correction())
        return reply
