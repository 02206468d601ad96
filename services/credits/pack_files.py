"""Reads rule packs: the shipped ones by name, any other by path."""

from __future__ import annotations

import functools
from decimal import Decimal
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from services.credits.pack_schema import PackFile, selected_courses
from services.credits.rules.pack import Pack, Rule
from services.shared.yaml_files import YamlError, read_yaml

PACKS = Path(__file__).parent / "packs"


class UnknownPackError(LookupError):
    """No pack of this name is shipped."""


def list_packs() -> list[str]:
    return sorted(path.stem for path in PACKS.glob("*.yaml"))


@functools.cache
def load_pack(pack_id: str) -> Pack:
    """The shipped pack of this name; files do not change while a process runs. Raises UnknownPackError."""
    if pack_id not in list_packs():
        raise UnknownPackError(pack_id)
    return read_pack(PACKS / f"{pack_id}.yaml")


def read_pack(path: Path) -> Pack:
    """The pack in a file, its version being the hash of its content. Raises YamlError naming the first fault's place."""
    file = read_yaml(path)
    try:
        data = PackFile().load(file.content)
    except ValidationError as error:
        raise YamlError(f"{path.name}: {error.normalized_messages()}") from error
    if data["id"] != path.stem:
        raise YamlError(f"{path.name}: the pack calls itself {data['id']}")
    return Pack(
        pack_id=data["id"],
        version=file.content_hash,
        titles=data["titles"],
        status=data["status"],
        unit=data["unit"],
        quantum=Decimal(data["quantum"]),
        year_boundary=data["on_year_boundary"],
        hour_type=data["hour_type"],
        training_form=data["training_form"],
        source_kind=data["source_kind"],
        courses=tuple(data["courses"]),
        rules=tuple(_rule(data, record) for record in data["rules"]),
    )


def _rule(pack: dict[str, Any], record: dict[str, Any]) -> Rule:
    return Rule(
        rule_id=record["rule_id"],
        kind=record["kind"],
        courses=selected_courses(pack, record),
        measure=record["measure"],
        text=record["text"],
        source=record["source"]["ref"],
        confidence=record["confidence"],
        mode=record.get("mode"),
        seconds_per_hour=record.get("seconds_per_hour"),
        threshold=_decimal(record, "threshold"),
        amount=_decimal(record, "amount"),
        cap=_decimal(record, "cap"),
        minimum=_decimal(record, "minimum"),
        begins_at=record.get("begins_at"),
        ends_at=record.get("ends_at"),
    )


def _decimal(record: dict[str, Any], field: str) -> Decimal | None:
    return Decimal(record[field]) if field in record else None
