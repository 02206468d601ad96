"""What a study client must not forget: its unconfirmed reports, on disk before they are sent. Append-only JSON lines."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

Segments = tuple[tuple[int, int], ...]


@dataclasses.dataclass
class SavedReport:
    """One report until it is durable; with a receipt once the gateway has accepted it."""

    seq: int
    segments: Segments
    receipt: str = ""


class StudyJournal:
    """The reports of one study session. Without a path it lives in memory only (tests, throw-away clients)."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.session: dict[str, Any] = {}
        self.last_seq = 0
        self.durable_seq = 0
        self._reports: dict[int, SavedReport] = {}
        if path is not None and path.exists():
            self._replay(path)

    def unconfirmed(self) -> list[SavedReport]:
        """Reports that are not durable yet, oldest first."""
        return [self._reports[seq] for seq in sorted(self._reports)]

    def begin(self, opened: dict[str, Any]) -> None:
        """A study session was opened; its answer is kept whole."""
        self._note({"event": "opened", "session": opened})

    def save(self, segments: Segments) -> SavedReport:
        """Give the report its seq and keep it. Call before sending."""
        self._note({"event": "report", "seq": self.last_seq + 1, "segments": segments})
        return self._reports[self.last_seq]

    def accept(self, seq: int, receipt: str) -> None:
        self._note({"event": "accepted", "seq": seq, "receipt": receipt})

    def make_durable(self, durable_seq: int) -> None:
        """The server has recorded everything up to here for good: forget it."""
        if durable_seq > self.durable_seq:
            self._note({"event": "durable", "seq": durable_seq})

    def _note(self, line: dict[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                # Only what survives a power cut may be sent: a seq must never be used for two reports.
                os.fsync(file.fileno())
        self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        match line["event"]:
            case "opened":
                self.session = line["session"]
            case "report":
                segments = tuple((begin, end) for begin, end in line["segments"])
                self._reports[line["seq"]] = SavedReport(line["seq"], segments)
                self.last_seq = line["seq"]
            case "accepted" if line["seq"] in self._reports:
                self._reports[line["seq"]].receipt = line["receipt"]
            case "durable":
                self.durable_seq = line["seq"]
                self._reports = {seq: kept for seq, kept in self._reports.items() if seq > line["seq"]}

    def _replay(self, path: Path) -> None:
        good = 0
        for line in path.read_bytes().splitlines(keepends=True):
            try:
                self._apply(json.loads(line))
            except ValueError:
                break
            good += len(line)
        # A crash can leave half a line; it was never sent, for sending comes after fsync. Cut it off, or the next line
        # would be glued to it.
        os.truncate(path, good)
