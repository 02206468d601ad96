"""The journal of a stock script: what it did, for the test to read. No nameko, no eventlet here."""

import os
from pathlib import Path

SERVICE = os.environ["SERVICE"]


def note(word: str, item: object) -> None:
    """Append one line; a single small O_APPEND write is never torn."""
    with Path(os.environ["JOURNAL"]).open("a", encoding="utf-8") as journal:
        journal.write(f"{word} {item} {os.getpid()}\n")
