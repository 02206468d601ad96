"""Certificates of a territory: the list, the figures, and the counting."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from services.certs import showing
from services.certs.overview import counting, queries, schemas
from services.shared import clock
from services.shared.bus import Call, periodic, query
from services.shared.paging import page_of

RUN_SECONDS = 5.0


class Overview:
    """Mixed into the service."""

    database: Any
    settings: Any

    @query
    def list_issued_certificates(self, call: Call) -> dict[str, Any]:
        """Certificates of the teachers who are at the place or below it now, school by school; holders masked."""
        arguments = call.load(schemas.ListIssued())
        limit, position = arguments.pop("limit"), arguments.pop("cursor")
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        after = (position["place"], position["teacher_id"], position["certificate_id"]) if position else None
        with self.database.read(call) as db:
            found = queries.list_issued(db, queries.Wanted(**arguments), after, limit + 1)
        return page_of(found, limit, self._listed, lambda issued: schemas.Position().dump(_position(issued)))

    def _listed(self, issued: queries.Issued) -> dict[str, Any]:
        certificate = issued.certificate
        shown: dict[str, Any] = schemas.IssuedCertificate().dump(
            {
                **showing.summary(certificate, self.settings.base_url),
                "teacher_id": certificate.teacher_id,
                "holder_name": showing.masked_name(certificate),
                "place": issued.place,
            }
        )
        return shown

    @query
    def get_certificate_statistics(self, call: Call) -> dict[str, Any]:
        """How many of each kind are valid, replaced, revoked and blocked at a place and below it."""
        arguments = call.load(schemas.OnePlace())
        place = arguments["place"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            kinds = queries.figures_of(db, place, arguments["programme_id"])
            as_of = queries.as_of(db, call.now)
        return {**schemas.PlaceFigures().dump({"place": place, "kinds": kinds}), "as_of": clock.format_instant(as_of)}

    @query
    def list_certificate_statistics_below(self, call: Call) -> dict[str, Any]:
        """The same of each place directly below, in the order of the tree."""
        arguments = call.load(schemas.Below())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            below = queries.list_children(db, place, arguments["cursor"], limit + 1)
            figures = queries.figures_by_place(db, below, arguments["programme_id"])
            as_of = queries.as_of(db, call.now)
        show = schemas.PlaceFigures()
        page = page_of(below, limit, lambda at: show.dump({"place": at, "kinds": figures[at]}), lambda at: at)
        return {**page, "as_of": clock.format_instant(as_of)}

    @query
    def reconcile_certificate_statistics(self, call: Call) -> dict[str, Any]:
        """The proof that the totals are the sums of what was counted of each teacher, once all marks are taken."""
        limit = call.load(schemas.Reconcile())["limit"]
        with self.database.work() as db:
            while counting.count(db):
                pass
            return {"differences": counting.differences(db, limit)}

    @periodic(1.0, job="count_certificates")
    def count_certificates(self, _now: dt.datetime) -> None:
        """Count what changed since the last run; what is left waits for the next."""
        until = time.monotonic() + RUN_SECONDS
        while time.monotonic() < until:
            with self.database.work() as db:
                if not counting.count(db):
                    return


def _position(issued: queries.Issued) -> dict[str, Any]:
    place, teacher_id, certificate_id = issued.position
    return {"place": place, "teacher_id": teacher_id, "certificate_id": certificate_id}
