"""Reads rule packs: the shipped ones by name, any other by path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from services.credits.pack_schema import PACK_FILES, selected_courses
from services.credits.rules.pack import (
    Evidence,
    ItemPack,
    ItemRule,
    LedgerPack,
    LedgerRule,
    Minimum,
    Pack,
    Rate,
    Rule,
    SeasonPack,
)
from services.shared.yaml_files import YamlError, content_hash, read_yaml

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


def load_season_pack(pack_id: str) -> SeasonPack:
    """The shipped pack that judges watched videos. Raises UnknownPackError, also for a pack of another kind."""
    pack = load_pack(pack_id)
    if not isinstance(pack, SeasonPack):
        raise UnknownPackError(pack_id)
    return pack


def read_pack(path: Path) -> Pack:
    """The pack in a file, its version being the hash of its content. Raises YamlError naming the first fault's place."""
    file = read_yaml(path)
    pack = parse_pack(file.content, path.name)
    if pack.pack_id != path.stem:
        raise YamlError(f"{path.name}: the pack calls itself {pack.pack_id}")
    return pack


def parse_pack(content: Any, name: str) -> Pack:
    """The pack that this content of a file called `name` is. Raises YamlError naming the first fault's place."""
    evidence = content.get("evidence") if isinstance(content, dict) else None
    if evidence not in list(Evidence):
        raise YamlError(f"{name}: evidence: one of {', '.join(Evidence)}")
    try:
        data = PACK_FILES[Evidence(evidence)]().load(content)
    except ValidationError as error:
        raise YamlError(f"{name}: {error.normalized_messages()}") from error
    return _BUILDERS[data["evidence"]](data, _head(data, content_hash(content)))


def _head(data: dict[str, Any], version: str) -> dict[str, Any]:
    return {
        "pack_id": data["id"],
        "version": version,
        "titles": data["titles"],
        "status": data["status"],
        "valid_from": data["valid_from"],
        "valid_to": data["valid_to"],
        "unit": data["unit"],
        "quantum": Decimal(data["quantum"]),
    }


def _record(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "rule_id": record["rule_id"],
        "kind": record["kind"],
        "text": record["text"],
        "source": record["source"]["ref"],
        "confidence": record["confidence"],
    }


def _season_pack(data: dict[str, Any], head: dict[str, Any]) -> SeasonPack:
    return SeasonPack(
        **head,
        year_boundary=data["on_year_boundary"],
        hour_type=data["hour_type"],
        training_form=data["training_form"],
        source_kind=data["source_kind"],
        courses=tuple(data["courses"]),
        rules=tuple(_season_rule(data, record) for record in data["rules"]),
    )


def _season_rule(pack: dict[str, Any], record: dict[str, Any]) -> Rule:
    return Rule(
        **_record(record),
        courses=selected_courses(pack, record),
        measure=record["measure"],
        gate=record.get("gate"),
        mode=record.get("mode"),
        seconds_per_hour=record.get("seconds_per_hour"),
        threshold=_decimal(record, "threshold"),
        amount=_decimal(record, "amount"),
        cap=_decimal(record, "cap"),
        minimum=_decimal(record, "minimum"),
        begins_at=record.get("begins_at"),
        ends_at=record.get("ends_at"),
    )


def _ledger_pack(data: dict[str, Any], head: dict[str, Any]) -> LedgerPack:
    rules = tuple(
        LedgerRule(
            **_record(record),
            per=record["per"],
            requires=tuple(Minimum(each["measure"], Decimal(each["minimum"])) for each in record.get("requires", [])),
            category=record.get("category", ""),
            toward=record.get("toward", ""),
            cap=_decimal(record, "cap"),
            hours_per_credit=_decimal(record, "hours_per_credit"),
            minimum_hours=_decimal(record, "minimum_hours"),
            seasons=tuple(record.get("seasons", ())),
            hour_type=record.get("hour_type", ""),
            training_form=record.get("training_form", ""),
        )
        for record in data["rules"]
    )
    return LedgerPack(**head, dimension=data["dimension"], categories=tuple(data["categories"]), rules=rules)


def _item_pack(data: dict[str, Any], head: dict[str, Any]) -> ItemPack:
    rules = tuple(
        ItemRule(
            **_record(record),
            rates=tuple(
                Rate(Decimal(rate["amount"]), rate["unit"], Decimal(rate["every"]), rate["when"])
                for rate in record["rates"]
            ),
            cap=_decimal(record, "cap"),
            declared_as=record["declared_as"],
        )
        for record in data["rules"]
    )
    return ItemPack(**head, training_form=data["training_form"], rules=rules)


_BUILDERS: dict[Evidence, Callable[[dict[str, Any], dict[str, Any]], Pack]] = {
    Evidence.SEASON: _season_pack,
    Evidence.LEDGER: _ledger_pack,
    Evidence.ITEMS: _item_pack,
}


def _decimal(record: dict[str, Any], field: str) -> Decimal | None:
    return Decimal(record[field]) if field in record else None
