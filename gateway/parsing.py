"""Turns a request into validated arguments: webargs with our strict reader, our refusals, and no unknown names."""

from __future__ import annotations

from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import CombinedMultiDict

from gateway.context import call
from gateway.faults import from_messages


class StrictParser(FlaskParser):
    """webargs for our blueprints. The body was already read and checked by `gateway.intake`."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012  webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": ma.RAISE,
        "querystring": ma.RAISE,
        "form": ma.RAISE,
        "files": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        body = call().body
        return core.missing if body is None else body

    def load_files(self, req: Request, schema: ma.Schema) -> Any:
        """A form's files and its texts together: the document knows one body, and an unknown text is refused like any name."""
        return self._makeproxy(CombinedMultiDict([req.files, req.form]), schema)

    def handle_error(self, error: ma.ValidationError, *_ignored: Any, **_options: Any) -> NoReturn:
        # webargs puts the location on top: {"json": {...}}; the reader wants the field alone.
        _, messages = next(iter(error.messages.items()))  # type: ignore[union-attr]
        raise from_messages(messages) from None
