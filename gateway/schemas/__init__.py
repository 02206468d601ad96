"""What request and response bodies are built from. Unknown fields are refused, JSON types are taken literally."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from werkzeug.datastructures import FileStorage

from services.shared.paging import DEFAULT_PAGE, MAX_PAGE


class Schema(ma.Schema):
    """Base of every body: unknown fields are an error, and keys keep their order in the document."""

    class Meta:
        unknown = ma.RAISE


class Text(fields.String):
    """A string of 1 to `longest` characters with something visible in it."""

    def __init__(self, longest: int = 200, *, shortest: int = 1, **options: Any) -> None:
        rules: list[validate.Validator] = [validate.Length(min=shortest, max=longest)]
        if shortest:
            # Also in the document, so that a client can check before it sends.
            rules.append(validate.Regexp(r"[\s\S]*\S", error="Must not be blank."))
        super().__init__(validate=rules, **options)


class Whole(fields.Integer):
    """A JSON integer: neither "5", 5.0 nor true, which marshmallow would take."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **options)


class File(fields.Raw):
    """A part of a form that is a file; a text under its name is none."""

    def __init__(self, description: str, **options: Any) -> None:
        metadata = {"type": "string", "format": "binary", "description": description}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ma.ValidationError("Not a valid file.")
        return value


class Page(Schema):
    """Query of every list: where to go on, and how many."""

    cursor = fields.String(
        validate=validate.Length(max=500), metadata={"description": "`next_cursor` of the page before.", "example": ""}
    )
    limit = fields.Integer(
        load_default=DEFAULT_PAGE,
        validate=validate.Range(1, MAX_PAGE),
        metadata={"description": "How many items at most.", "example": DEFAULT_PAGE},
    )


class PageReply(ma.Schema):
    """Reply of every list; the owner adds `items`."""

    next_cursor = fields.String(
        allow_none=True, metadata={"description": "Ask with it for the next page; null on the last one."}
    )
