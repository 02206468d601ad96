"""Amounts in another unit, converted by an act that is on record: value sets, refusals (`domain.md` §3.16, §4.6)."""

from __future__ import annotations

import enum
from typing import Final


class ConversionState(enum.StrEnum):
    OPEN = "OPEN"  # listed and not added
    CONVERTED = "CONVERTED"  # an entry in the unit of the teacher's place stands for it
    NO_RULE = "NO_RULE"  # neither the rules here nor those it was earned under say how


ERRORS: Final[dict[str, tuple[str, str]]] = {
    "credits.amount_unknown": ("没有这笔学时或学分。", "There is no such amount."),
    "credits.conversion_not_needed": (
        "该学时或学分无需换算：单位一致，或属于不计入周期的试用期培训。",
        "There is nothing to convert: the unit is that of the place, or it is probation training, which counts in no cycle.",
    ),
    "credits.conversion_exists": (
        "该学时或学分已经换算。",
        "This amount has been converted already.",
    ),
    "credits.conversion_own": ("不能换算本人的学时或学分。", "Nobody converts an amount of their own."),
    "credits.conversion_level": (
        "应由不低于原认定机构层级的部门换算。",
        "A department of at least the level that recognised the amount converts it.",
    ),
}
