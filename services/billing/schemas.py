"""Fields and arguments that several parts of billing share."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from services.identity.contract.person import LEARNER_NO_FORM

_PLACE = re.compile(r"CN(?:/\d{6}){0,3}(?:/(?:s[0-9a-f]{32}|other))?\Z")


class Nothing(Schema):
    """No arguments."""


def Place(**options: Any) -> fields.String:  # noqa: N802  reads as the field it makes
    return fields.String(validate=validate.Regexp(_PLACE), **options)


def LearnerNo(**options: Any) -> fields.String:  # noqa: N802
    return fields.String(validate=validate.Regexp(re.compile(rf"(?:{LEARNER_NO_FORM})\Z")), **options)
