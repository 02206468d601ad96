"""What became of grades in the ledger."""

from __future__ import annotations

from typing import Any

from services.credits.grades import queries, schemas
from services.shared.bus import Call, query
from services.shared.paging import page_of


class Grades:
    """Mixed into the service."""

    database: Any

    @query
    def list_held_grades(self, call: Call) -> dict[str, Any]:
        """Grades that came when their year was frozen: a complaint decides about the hours (`domain.md` §3.18)."""
        given = call.load(schemas.ListHeld())
        call.authorise(place=given["place"], missing="credits.no_scheme")
        limit = given["limit"]
        with self.database.read(call) as db:
            found = queries.list_held(db, given["place"], given["state"], given["year"], given["cursor"], limit + 1)
            return page_of(found, limit, schemas.HeldGradeShown().dump, lambda row: str(row.choice_id))
