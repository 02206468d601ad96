"""Contract of the probe."""

from marshmallow import Schema, fields

SERVICE = "probe"
COUNTED = "probe.counted"
TALLIED = "probe.tallied"


class Counted(Schema):
    name = fields.String(required=True)
    amount = fields.Integer(required=True)


EVENTS = {COUNTED: Counted, TALLIED: Counted}
ERRORS: dict[str, tuple[str, str]] = {}
