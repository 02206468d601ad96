"""Question banks over the bus: import, publish, look."""

from __future__ import annotations

from typing import Any

from services.catalog.questions import actions, queries, schemas
from services.shared.bus import Call, command, query
from services.shared.paging import page_of


class Questions:
    """Mixed into the service."""

    database: Any

    @command
    def import_question_bank(self, call: Call) -> dict[str, Any]:
        file = call.load(schemas.QuestionBank())
        return self._changed(call, lambda db: actions.import_bank(db, call, file))

    @command
    def publish_question_bank(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.BankId())
        return self._changed(call, lambda db: actions.publish_bank(db, call, **given))

    @query
    def list_question_banks(self, call: Call) -> dict[str, Any]:
        """The banks of a place and below it, by code."""
        arguments = call.load(schemas.ListQuestionBanks())
        limit = arguments["limit"]
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            found = queries.list_banks(db, arguments["place"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.BankShown().dump, lambda bank: bank.code)

    @query
    def get_question_bank(self, call: Call) -> dict[str, Any]:
        """A bank with the questions of a version, else of its draft, else of its newest version; never with an answer."""
        given = call.load(schemas.GetQuestionBank())
        with self.database.read(call) as db:
            bank = queries.get_bank(db, given["bank_id"])
            call.authorise(place=bank.place, missing=queries.MISSING)
            content = bank.draft
            if content is None or given["version"]:
                content = queries.get_version(db, bank.bank_id, given["version"] or bank.version).content
            shown: dict[str, Any] = schemas.BankShown().dump(bank)
            shown["items"] = schemas.QuestionShown(many=True).dump(content["questions"])
            return shown

    def _changed(self, call: Call, act: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.database.commit_once(call, act, schemas.BankShown())
        return changed
