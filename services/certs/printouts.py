"""Documents of other owners: from the data that `contract.document` describes to a PDF. No database, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.certs import rendering

TEMPLATE: Final = rendering.TEMPLATES / "documents" / "document.typ"


def render_document(document: dict[str, Any]) -> bytes:
    """The PDF of a loaded `PrintedDocument`; the same data gives the same bytes.

    Raises Conflict("certs.name_not_printable") for text with characters that the fonts do not have.
    """
    rendering.require_printable(*_texts(document))
    shown = {key: value for key, value in document.items() if key not in ("at", "address")}
    shown["facts"] = _laid_out(document["facts"])
    shown["qr"] = rendering.qr_svg(document["address"]) if document["address"] else ""
    return rendering.compose(TEMPLATE, "document", shown, document["at"])


def _laid_out(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two facts to a line; one that is wide, or has no neighbour, spans the line."""
    laid: list[dict[str, Any]] = []
    waits = False  # the last one begins a line
    for position, fact in enumerate(facts):
        alone = not waits and (position + 1 == len(facts) or facts[position + 1]["wide"])
        laid.append({**fact, "span": 3 if fact["wide"] or alone else 1})
        waits = not waits and laid[-1]["span"] == 1
    return laid


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
