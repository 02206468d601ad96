"""How a message reaches somebody; a contract may name it without the libraries that send."""

from __future__ import annotations

import enum


class Channel(enum.StrEnum):
    SMS = "SMS"
    EMAIL = "EMAIL"
