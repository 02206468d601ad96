"""The policies of holds as `policies.yaml` has them: read once, checked whole."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.billing.contract.holds import Blocked, HoldEvidence, HoldKind
from services.billing.holds.rules import EvidenceStep, HoldPolicy
from services.shared.actor import Role
from services.shared.yaml_files import YamlError, read_yaml

FILE = Path(__file__).parent / "policies.yaml"


class _Titles(Schema):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class _Shown(Schema):
    shown = fields.List(fields.Enum(HoldEvidence), required=True)
    source = fields.String(required=True)


class _Step(_Shown):
    from_occurrence = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))


class _Kind(Schema):
    title = fields.Nested(_Titles, required=True)
    keeper = fields.Enum(Role, required=True)
    blocks = fields.List(fields.Enum(Blocked), required=True, validate=validate.Length(min=1))
    evidence = fields.List(fields.Nested(_Step), required=True)
    collectively = fields.Nested(_Shown, required=True)

    @validates_schema
    def require_order(self, data: dict[str, Any], **_: Any) -> None:
        occurrences = [step["from_occurrence"] for step in data.get("evidence", [])]
        if occurrences != sorted(set(occurrences)) or (occurrences and occurrences[0] != 1):
            raise ValidationError("Occurrences must begin with 1 and grow.", "evidence")


class PolicyFile(Schema):
    kinds = fields.Dict(keys=fields.Enum(HoldKind), values=fields.Nested(_Kind), required=True)

    @validates_schema
    def require_all(self, data: dict[str, Any], **_: Any) -> None:
        if set(data.get("kinds", {})) != set(HoldKind):
            raise ValidationError("Every kind of hold needs its policy.", "kinds")


@functools.cache
def policies() -> dict[HoldKind, HoldPolicy]:
    """The policy of each kind. Raises YamlError for a file that does not say everything."""
    try:
        loaded = PolicyFile().load(read_yaml(FILE).content)
    except ValidationError as error:
        raise YamlError(f"{FILE.name}: {error.messages}") from None
    return {kind: _policy(given) for kind, given in loaded["kinds"].items()}


def _policy(given: dict[str, Any]) -> HoldPolicy:
    return HoldPolicy(
        keeper=given["keeper"],
        blocks=tuple(given["blocks"]),
        evidence=tuple(EvidenceStep(step["from_occurrence"], frozenset(step["shown"])) for step in given["evidence"]),
        collectively=frozenset(given["collectively"]["shown"]),
    )
