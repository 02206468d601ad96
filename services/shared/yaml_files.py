"""Data files in YAML (seasons, rule packs): read strictly, named by their content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml


class YamlError(ValueError):
    """The file is not the YAML we accept; the text names the place."""


@dataclasses.dataclass(frozen=True)
class YamlFile:
    content: Any
    content_hash: str  # SHA-256 of the canonical content: comments and layout do not change it


class _StrictLoader(yaml.SafeLoader):
    """YAML itself lets a repeated key overwrite the first one without a word; in a rule pack that hides a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise YamlError(f"{key!r} stands twice in one mapping (line {key_node.start_mark.line + 1})")
            seen.add(key)
        return super().construct_mapping(node, deep)


# Times stay text: YAML's own date type drops or guesses offsets, our schemas demand one.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def content_hash(content: Any) -> str:
    """SHA-256 over canonical JSON, hexadecimal."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_yaml(path: Path) -> YamlFile:
    """The file's content and hash. Raises YamlError for broken YAML, repeated keys and anything JSON cannot say."""
    try:
        content = yaml.load(path.read_bytes(), Loader=_StrictLoader)  # noqa: S506  a SafeLoader, only stricter
        return YamlFile(content, content_hash(content))
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as error:
        raise YamlError(f"{path.name}: {error}") from error
