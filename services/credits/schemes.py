"""Which rule pack judges the years of a teacher who is at a place (`schemes.yaml`)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.credits import pack_files
from services.credits.rules.pack import ItemPack, LedgerPack, Status
from services.shared.actor import covers
from services.shared.clock import BEIJING
from services.shared.yaml_files import YamlError, read_yaml

FILE = Path(__file__).parent / "schemes.yaml"


@dataclasses.dataclass(frozen=True)
class Scheme:
    """A place's adoption of a pack, with the cycles of years that it counts in."""

    scheme_id: str
    place: str
    pack: LedgerPack
    cycles: tuple[range, ...]
    closes_on: tuple[int, int]  # month and day of the next year
    complaint_days: int
    tables: tuple[ItemPack, ...] = ()  # what pays declared activities there

    def tables_of(self, year: int) -> list[ItemPack]:
        """The tables that pay activities of the year."""
        return [table for table in self.tables if table.is_valid_in(year)]

    def closing_of(self, year: int) -> dt.datetime:
        """The instant from which the year's figures are frozen: the Beijing midnight after its closing day."""
        return dt.datetime(year + 1, *self.closes_on, tzinfo=BEIJING) + dt.timedelta(days=1)

    def complaints_until(self, year: int) -> dt.datetime:
        """The end of the window for complaints about the year; the instant itself is outside."""
        return self.closing_of(year) + dt.timedelta(days=self.complaint_days)

    def cycle_of(self, year: int) -> range | None:
        return next((cycle for cycle in self.cycles if year in cycle), None)


def _is_a_day(text: str) -> None:
    try:
        dt.date.fromisoformat(f"2001-{text}")  # no leap year: a day that every year has
    except ValueError:
        raise ValidationError("must be a day such as 01-31") from None


class SchemeRecord(Schema):
    id = fields.String(required=True, validate=validate.Regexp(r"\A[a-z][a-z0-9-]{0,39}\Z"))
    place = fields.String(required=True, validate=validate.Regexp(r"\ACN(/\d{6}){0,3}\Z"))
    pack = fields.String(required=True)
    cycles = fields.List(
        fields.Tuple((fields.Integer(strict=True), fields.Integer(strict=True))),
        required=True,
        validate=validate.Length(min=1),
    )
    closes_on = fields.String(required=True, validate=_is_a_day)
    complaint_days = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=366))
    tables = fields.List(fields.String(), load_default=list)


class DeadlineRecord(Schema):
    place = fields.String(required=True, validate=validate.Regexp(r"\ACN(/\d{6}){0,3}\Z"))
    last_day = fields.String(required=True, validate=_is_a_day)
    source = fields.String(required=True, validate=validate.Length(min=1))


class SchemesFile(Schema):
    schemes = fields.List(fields.Nested(SchemeRecord), required=True)
    deadlines = fields.List(fields.Nested(DeadlineRecord), load_default=list)


@functools.cache
def list_schemes(path: Path = FILE) -> tuple[Scheme, ...]:
    """All of the file. Raises YamlError for a pack that does not judge years, is no ACTIVE one, or for cycles that meet."""
    records = _load(path)["schemes"]
    schemes = tuple(_scheme(path, record) for record in records)
    for index, scheme in enumerate(schemes):
        for other in schemes[:index]:
            years = {year for cycle in scheme.cycles for year in cycle}
            if other.place == scheme.place and any(year in years for cycle in other.cycles for year in cycle):
                raise YamlError(
                    f"{path.name}: {scheme.scheme_id} and {other.scheme_id} judge the same years of one place"
                )
    return schemes


def get_scheme(scheme_id: str) -> Scheme:
    """The scheme of this id; whatever was frozen under one still names it."""
    return next(scheme for scheme in list_schemes() if scheme.scheme_id == scheme_id)


def find_scheme(place: str, year: int) -> Scheme | None:
    """The scheme of the nearest place above `place` that judges the year; None where nobody has adopted one."""
    above = [scheme for scheme in list_schemes() if covers(scheme.place, place) and scheme.cycle_of(year)]
    return max(above, key=lambda scheme: len(scheme.place), default=None)


def is_closed_for_entries(place: str, year: int, today: dt.date) -> bool:
    """Whether the nearest place above `place` that has a deadline for the hours of a year has let it pass.

    A scheme's own closing comes later; from the deadline on only the correction of a complaint enters anything.
    """
    above = [record for record in _load(FILE)["deadlines"] if covers(record["place"], place)]
    nearest = max(above, key=lambda record: len(record["place"]), default=None)
    if nearest is None:
        return False
    month, day = nearest["last_day"].split("-")
    return today > dt.date(year, int(month), int(day))


@functools.cache
def _load(path: Path) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = SchemesFile().load(read_yaml(path).content)
    except ValidationError as error:
        raise YamlError(f"{path.name}: {error.normalized_messages()}") from error
    return loaded


def _scheme(path: Path, record: dict[str, Any]) -> Scheme:
    pack = pack_files.load_pack(record["pack"])
    if not isinstance(pack, LedgerPack) or pack.status is not Status.ACTIVE:
        raise YamlError(f"{path.name}: {record['id']}: {record['pack']} is no ACTIVE pack that judges years")
    cycles = tuple(range(first, last + 1) for first, last in record["cycles"])
    years = [year for cycle in cycles for year in cycle]
    if len(set(years)) < len(years) or not all(cycles):
        raise YamlError(f"{path.name}: {record['id']}: its cycles meet, or one is empty")
    month, day = record["closes_on"].split("-")
    tables = tuple(_table(path, record, pack, each) for each in record["tables"])
    return Scheme(record["id"], record["place"], pack, cycles, (int(month), int(day)), record["complaint_days"], tables)


def _table(path: Path, record: dict[str, Any], pack: LedgerPack, table_id: str) -> ItemPack:
    """A SAMPLE may pay where its numbers are all there is: whoever reviews by it is told what it is."""
    table = pack_files.load_pack(table_id)
    if not isinstance(table, ItemPack) or table.status is Status.DRAFT or table.unit != pack.unit:
        raise YamlError(f"{path.name}: {record['id']}: {table_id} is no table that pays activities in {pack.unit}")
    if pack.dimension == "training_form" and table.training_form not in pack.categories:
        raise YamlError(f"{path.name}: {record['id']}: {pack.pack_id} knows no {table.training_form}")
    return table
