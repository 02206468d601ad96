"""Reads the season files that ship with the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from services.catalog import schemas
from services.shared.yaml_files import YamlError, read_yaml

SEASONS = Path(__file__).parent / "seasons"


def list_seasons() -> list[str]:
    """The codes of the shipped seasons."""
    return sorted(path.stem for path in SEASONS.glob("*.yaml"))


def read_season(path: Path) -> dict[str, Any]:
    """The file as plain JSON, good as the argument of `publish_programme`.

    Raises YamlError naming the place of the first fault in the file.
    """
    content = read_yaml(path).content
    try:
        schemas.Season().load(content)
    except ValidationError as error:
        raise YamlError(f"{path.name}: {error.normalized_messages()}") from error
    return content


def read_shipped_season(code: str) -> dict[str, Any]:
    """As `read_season`, for a season of `list_seasons()`."""
    if code not in list_seasons():
        raise YamlError(f"no season {code!r} is shipped; there are {', '.join(list_seasons())}")
    return read_season(SEASONS / f"{code}.yaml")
