"""Rosters: a spreadsheet becomes rows, rows become commands in chunks, and every row gets its own outcome.

The same code serves `POST /imports/…` and `yanxiu import …`; only the way to the services differs. Nothing is decided
here about people or schools: a row refused below was refused by the service that owns it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from gateway.roster_columns import SCHOOL_COLUMNS, TEACHER_COLUMNS, Column
from services.org.contract import Outcome
from services.shared.errors import InvalidInput
from services.shared.spreadsheet import LOST_DIGITS, Row, read_rows

CHUNK = 100  # rows of one command: well within its deadline, and little to repeat after a failure


class Services(Protocol):
    """The way to the services, as the request's actor or as the operators' machine."""

    def ask(self, service: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]: ...

    def tell(self, service: str, method: str, arguments: dict[str, Any], step: str) -> dict[str, Any]:
        """`step` tells apart the commands of one import; the same import repeated uses the same steps."""


Progress = Callable[[int, int], None]


@dataclasses.dataclass
class RosterRow:
    """A row on its way: refused as soon as it has a code."""

    number: int
    values: dict[str, str]
    outcome: Outcome = Outcome.UNCHANGED
    code: str = ""
    field: str = ""

    def refuse(self, code: str, field: str = "") -> None:
        self.outcome, self.code, self.field = Outcome.REFUSED, code, field

    @property
    def alive(self) -> bool:
        return self.outcome is not Outcome.REFUSED

    def take(self, answer: dict[str, Any]) -> None:
        """Merge a service's answer: one refusal refuses the row, one creation makes it created."""
        outcome = Outcome(answer["outcome"])
        if outcome is Outcome.REFUSED:
            self.refuse(answer["code"], answer["field"])
        elif outcome is Outcome.CREATED:
            self.outcome = outcome


def import_schools(data: bytes, services: Services, progress: Progress = lambda _done, _all: None) -> list[RosterRow]:
    """Create the schools of a workbook that are not there yet; returns every row with its outcome.

    Raises InvalidInput for a file that is no workbook, too large, without rows or with other columns.
    """
    rows = read_roster(data, SCHOOL_COLUMNS)
    _refuse_repeated(rows, ("code",))
    _refuse_repeated(rows, ("division_code", "name"))
    for index, chunk in enumerate(_chunks(rows)):
        send = [{"row": row.number, "values": row.values} for row in chunk if row.alive]
        if send:
            _take(chunk, services.tell("org", "import_schools", {"rows": send}, f"schools-{index}"))
        progress(min(len(rows), (index + 1) * CHUNK), len(rows))
    return rows


def import_teachers(data: bytes, services: Services, progress: Progress = lambda _done, _all: None) -> list[RosterRow]:
    """Give every teacher of a workbook an account and a place in the school; returns every row with its outcome.

    The school comes first, so that a row for a school out of reach makes no account. Raises as `import_schools`.
    """
    rows = read_roster(data, TEACHER_COLUMNS)
    _refuse_repeated(rows, ("id_type", "id_no"))
    _refuse_repeated(rows, ("phone",))
    for index, chunk in enumerate(_chunks(rows)):
        schools = _find_schools(services, chunk)
        accounts = _import_people(services, chunk, index)
        _import_memberships(services, chunk, index, schools, accounts)
        progress(min(len(rows), (index + 1) * CHUNK), len(rows))
    return rows


def _find_schools(services: Services, chunk: Sequence[RosterRow]) -> dict[str, str]:
    """School ids by code; rows whose school is unknown or out of reach are refused."""
    codes = sorted({row.values["school_code"] for row in chunk if row.alive})
    found = services.ask("org", "find_schools", {"codes": codes})["items"] if codes else []
    schools = {school["code"]: school["school_id"] for school in found}
    for row in chunk:
        if row.alive and row.values["school_code"] not in schools:
            row.refuse("org.school_unknown", "school_code")
    return schools


def _import_people(services: Services, chunk: Sequence[RosterRow], index: int) -> dict[int, str]:
    """Account ids by row number, of the rows that identity took."""
    send = [
        {"row": row.number, **{key: text for key, text in row.values.items() if key != "school_code"}}
        for row in chunk
        if row.alive
    ]
    if not send:
        return {}
    answers = _take(chunk, services.tell("identity", "import_people", {"rows": send}, f"people-{index}"))
    return {answer["row"]: answer["account_id"] for answer in answers if answer["account_id"]}


def _import_memberships(
    services: Services, chunk: Sequence[RosterRow], index: int, schools: dict[str, str], accounts: dict[int, str]
) -> None:
    send = [
        {"row": row.number, "account_id": accounts[row.number], "school_id": schools[row.values["school_code"]]}
        for row in chunk
        if row.alive
    ]
    if send:
        _take(chunk, services.tell("org", "import_memberships", {"rows": send}, f"memberships-{index}"))


def _take(chunk: Sequence[RosterRow], reply: dict[str, Any]) -> list[dict[str, Any]]:
    by_number = {row.number: row for row in chunk}
    answers: list[dict[str, Any]] = reply["rows"]
    for answer in answers:
        by_number[answer["row"]].take(answer)
    return answers


def _chunks(rows: Sequence[RosterRow]) -> Iterator[Sequence[RosterRow]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


# --- from cells to values -------------------------------------------------------------------------------------------


def read_roster(data: bytes, columns: Sequence[Column]) -> list[RosterRow]:
    """The rows of a workbook with their values by key; a row with a bad cell is already refused."""
    rows = read_rows(data)
    if not rows:
        raise InvalidInput("org.no_rows", "file")
    header = _header(rows[0], columns)
    if len(rows) == 1:
        raise InvalidInput("org.no_rows", "file")
    return [_roster_row(row, header, columns) for row in rows[1:]]


def _header(row: Row, columns: Sequence[Column]) -> dict[str, int]:
    """Where each column stands. Raises InvalidInput("org.wrong_columns") naming the first one at fault."""
    titles = list(row.cells)
    while titles and not titles[-1]:
        titles.pop()
    known = {column.title: column.key for column in columns}
    for title in titles:
        if title not in known or titles.count(title) > 1:
            raise InvalidInput("org.wrong_columns", f"file.{title[:30]}")
    for column in columns:
        if column.required and column.title not in titles:
            raise InvalidInput("org.wrong_columns", f"file.{column.title}")
    return {known[title]: position for position, title in enumerate(titles)}


def _roster_row(row: Row, header: dict[str, int], columns: Sequence[Column]) -> RosterRow:
    """The row's values by key, up to the first cell at fault."""
    roster_row = RosterRow(row.number, {})
    for column in columns:
        position = header.get(column.key, len(row.cells))
        text = row.cells[position] if position < len(row.cells) else ""
        if code := _fault(column, text):
            roster_row.refuse(code, column.key)
            break
        if value := column.value_of(text):
            roster_row.values[column.key] = value
    return roster_row


def _fault(column: Column, text: str) -> str:
    """The code of what is wrong with a cell, or ""."""
    if text == LOST_DIGITS:
        return "org.digits_lost"
    if not text:
        return "org.value_missing" if column.required else ""
    if len(text) > column.longest:
        return "org.value_malformed"
    return "" if column.value_of(text) else "org.value_unknown"


def _refuse_repeated(rows: Sequence[RosterRow], keys: tuple[str, ...]) -> None:
    """Refuse a row that names again what an earlier row named; the earlier one goes on."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        value = tuple(row.values.get(key, "").upper() for key in keys)
        if not row.alive or not value[-1]:
            continue
        if value in seen:
            row.refuse("org.duplicate_row", keys[-1])
        seen.add(value)
