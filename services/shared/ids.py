"""Identifiers: UUIDv7, so that a primary key grows with time and an index stays dense."""

from __future__ import annotations

import uuid

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A new UUIDv7 as a plain `uuid.UUID` (drivers and marshmallow trip over any other class)."""
    return compat.uuid7()
