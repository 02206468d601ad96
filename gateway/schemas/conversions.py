"""Bodies and queries of conversions."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Schema, Text
from services.credits.contract.conversions import ConversionState
from services.credits.contract.recognisers import Recogniser

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_SOURCE = {"description": "`source_ref` of the amount.", "example": f"declaration:{EXAMPLE_ID}"}
_UNIT = {"description": "HOUR (学时) or CREDIT (学分); never added together.", "example": "CREDIT"}


class ConversionsQuery(Schema):
    teacher_id = fields.UUID(metadata={"description": "Oneself, unless named.", "example": EXAMPLE_ID})
    year = fields.Integer(required=True, validate=validate.Range(1990, 2200), metadata={"example": 2023})


class UndoneConversion(Schema):
    teacher_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    source_ref = Text(200, required=True, metadata=_SOURCE)
    reason = Text(500, required=True, metadata={"example": "调入认定"})


class NewConversion(UndoneConversion):
    category = fields.String(
        validate=validate.Length(max=40),
        metadata={
            "description": "As what it counts under the rules here; empty: in the total only. Without it, as what it is called"
            " already, where the rules here know that name.",
            "example": "专业科目",
        },
    )


class Converted(ma.Schema):
    """What the amount is, or would be, in the unit of the place."""

    unit = fields.String(metadata={**_UNIT, "example": "HOUR"})
    amount = fields.String(metadata={"example": "30.00"})
    rule_id = fields.String(metadata={"description": "The rule that gives the factor.", "example": "GX.CONV"})
    pack_id = fields.String(metadata={"description": "Whose rule that is.", "example": "guangxi-2016"})
    category = fields.String(metadata={"example": "专业科目"})
    why = fields.String(
        metadata={"example": "GX.CONV of guangxi-2016: 10.00 -> 30.00, 10.00 credits at 3 hours a credit"}
    )
    entry_id = fields.UUID(
        allow_none=True, metadata={"description": "The entry of the ledger; null while nobody has converted it."}
    )
    recogniser = fields.String(
        allow_none=True, metadata={"description": f"Which level converted it: {', '.join(Recogniser)}."}
    )
    recorded_at = fields.String(allow_none=True, metadata={"example": "2023-11-20T02:00:00.000000Z"})


class Conversion(ma.Schema):
    source_ref = fields.String(metadata=_SOURCE)
    year = fields.Integer(metadata={"example": 2023})
    unit = fields.String(metadata=_UNIT)
    amount = fields.String(metadata={"example": "10.00"})
    state = fields.String(
        metadata={"description": f"{', '.join(ConversionState)}. Only a CONVERTED one counts.", "example": "OPEN"}
    )
    converted = fields.Nested(Converted, allow_none=True)


class Conversions(ma.Schema):
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    year = fields.Integer(metadata={"example": 2023})
    unit = fields.String(metadata={**_UNIT, "description": "The unit of the teacher's place."})
    categories = fields.List(fields.String(), metadata={"description": "Those that the rules of the place know."})
    items = fields.List(fields.Nested(Conversion))
