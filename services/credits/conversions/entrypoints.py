"""Amounts in another unit than the place's: what they are, and the act by which they count."""

from __future__ import annotations

from typing import Any

from services.credits import queries as credit_queries
from services.credits.conversions import actions, schemas
from services.shared.bus import Call, command, query


class Conversions:
    """Mixed into the service."""

    database: Any

    @query
    def list_conversions(self, call: Call) -> dict[str, Any]:
        """What a teacher earned in a year in another unit: converted, with the entry, or what it would come to."""
        arguments = call.load(schemas.AmountsOfYear())
        teacher_id, year = arguments["teacher_id"] or call.actor.account_id, arguments["year"]
        assert teacher_id is not None  # a caller of this policy is a person
        with self.database.read(call) as db:
            place = credit_queries.find_place(db, teacher_id)
            call.authorise(subject=teacher_id, place=place, missing="credits.no_scheme")
            scheme, items = actions.list_conversions(db, teacher_id, year, call.now)
        shown: dict[str, Any] = schemas.Conversions().dump(
            {
                "teacher_id": teacher_id,
                "year": year,
                "unit": scheme.pack.unit,
                "categories": scheme.pack.categories,
                "items": items,
            }
        )
        return shown

    @command
    def convert_amount(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.ConvertAmount())
        return self._converted(call, lambda db: actions.convert_amount(db, call, **given))

    @command
    def undo_conversion(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.UndoConversion())
        return self._converted(call, lambda db: actions.undo_conversion(db, call, **given))

    def _converted(self, call: Call, act: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.database.commit_once(call, act, schemas.Conversion())
        return done
