"""Lists of other services with the people they are about: names come masked from identity, in one question per page."""

from __future__ import annotations

from typing import Any

from gateway.context import call, gateway
from gateway.rpc import ask
from services.shared.errors import NotAllowed

Rows = list[dict[str, Any]]


def masked_people(account_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Masked people by account; identity leaves out whom the caller may not see."""
    if not account_ids:
        return {}
    try:
        people = ask("identity", "list_people", {"account_ids": sorted(set(account_ids))})["people"]
    except NotAllowed:
        # Whoever may read this list may still see nobody's name: the list is his, the names are not.
        return {}
    return {person["account_id"]: person for person in people}


def with_people(rows: Rows) -> Rows:
    """Each row with the `person` of its `teacher_id`, null for one who is out of the caller's reach."""
    people = masked_people([row["teacher_id"] for row in rows])
    return [{**row, "person": people.get(row["teacher_id"])} for row in rows]


def explained(rows: Rows) -> Rows:
    """Outcomes of a bulk decision, each refusal's `code` also as a text in the reader's language."""
    texts, language = gateway().catalogue, call().language
    return [{**row, "message": texts.text(row["code"], language) if row["code"] else ""} for row in rows]
