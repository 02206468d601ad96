"""Lists by the page: what every list takes as `limit`, and how a page says where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from marshmallow import Schema, fields, validate

DEFAULT_PAGE = 50
MAX_PAGE = 200

Row = TypeVar("Row")


class Page(Schema):
    """Arguments of a list; each adds the `cursor` of its own order."""

    limit = fields.Integer(load_default=DEFAULT_PAGE, strict=True, validate=validate.Range(1, MAX_PAGE))


def page_of(found: Sequence[Row], limit: int, show: Callable[[Row], Any], key: Callable[[Row], Any]) -> dict[str, Any]:
    """At most `limit` rows as shown, and the key of the last one if there are more.

    `found` was asked for with one row more than `limit`: that row tells whether there is a next page.
    """
    shown = found[:limit]
    return {"items": [show(row) for row in shown], "next_cursor": key(shown[-1]) if len(found) > limit else None}
