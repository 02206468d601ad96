"""What an owner hands to certs to have a document printed: titles, facts, sections, signatures. All of it is text.

One form serves them all (a payment notice 缴款通知书, a declaration form, a transcript): whoever owns the figures says what stands
on the page, certs says how it looks. Amounts and days come as the text that is to be printed, with their units.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.shared.fields import is_plain_line

MOST_ROWS: Final = 2000  # of one section: some sixty pages
MOST_COLUMNS: Final = 10
LEFT, RIGHT, CENTRE = "left", "right", "centre"


def _text(longest: int, **options: Any) -> fields.String:
    return fields.String(validate=[validate.Length(max=longest), _plain], **options)


def _plain(text: str) -> None:
    if not is_plain_line(text):
        raise ValidationError("Not one plain line of text.")


class Label(Schema):
    """A word of the form in both languages; the English may be empty."""

    zh = _text(60, required=True)
    en = _text(120, load_default="")


class Fact(Schema):
    """One labelled value above the sections, two of them to a line; `wide` ones take a line of their own."""

    label = fields.Nested(Label, required=True)
    value = _text(400, required=True)
    wide = fields.Boolean(load_default=False)


class Column(Schema):
    label = fields.Nested(Label, required=True)
    align = fields.String(load_default=LEFT, validate=validate.OneOf((LEFT, RIGHT, CENTRE)))
    # Parts of the width: a column of 3 is three times as wide as one of 1.
    share = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 20))


class Section(Schema):
    """A heading, paragraphs, and a table with its `totals` as a last, bold row; each of them may be missing."""

    title = fields.Nested(Label, load_default=None, allow_none=True)
    paragraphs = fields.List(_text(2000), load_default=list, validate=validate.Length(max=50))
    columns = fields.List(fields.Nested(Column), load_default=list, validate=validate.Length(max=MOST_COLUMNS))
    rows = fields.List(fields.List(_text(400)), load_default=list, validate=validate.Length(max=MOST_ROWS))
    totals = fields.List(_text(400), load_default=list)

    @validates_schema
    def fit_the_columns(self, data: dict[str, Any], **_: Any) -> None:
        for name, cells in (("rows", row) for row in data["rows"]):
            if len(cells) != len(data["columns"]):
                raise ValidationError("A row has another number of cells than there are columns.", name)
        if data["totals"] and len(data["totals"]) != len(data["columns"]):
            raise ValidationError("The totals have another number of cells than there are columns.", "totals")


class PrintedDocument(Schema):
    """The whole document. `at` is the document's own date (RFC 3339): the same data gives the same bytes.

    `reference` is the owner's number of it, on every page. `printed` says on every page who printed it and what for, where the
    document shows other people's data. `address` becomes a QR code, for a document that can be looked up.
    """

    title = fields.Nested(Label, required=True)
    issuer = _text(100, load_default="")
    reference = _text(100, load_default="")
    at = fields.AwareDateTime(required=True)
    landscape = fields.Boolean(load_default=False)
    facts = fields.List(fields.Nested(Fact), load_default=list, validate=validate.Length(max=40))
    sections = fields.List(fields.Nested(Section), load_default=list, validate=validate.Length(max=40))
    notes = fields.List(_text(1000), load_default=list, validate=validate.Length(max=20))
    signatures = fields.List(fields.Nested(Label), load_default=list, validate=validate.Length(max=4))
    printed = _text(400, load_default="")
    address = _text(500, load_default="")
