"""Reference client for study: opens a session, reports what was watched, and loses no report that it ever made.

A report is journalled, sent, and kept with its receipt until the server says that it is durable. After a broken
network, an overloaded gateway or a wiped broker it is sent again, with the receipt, and keeps its time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import requests

from yanxiu.client.journal import SavedReport, StudyJournal

TIMEOUT_SECONDS = 15
# Answers after which the same request may succeed later: too many, no server behind the gateway, no answer in time.
LATER = frozenset({429, 502, 503, 504})


class RefusedError(Exception):
    """The server said no; `code` is stable."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class NotReachedError(Exception):
    """No answer, or one that asks for patience; what was asked may have happened, and may be asked again."""


class StudyEndedError(Exception):
    """The session was taken over by another device, or is a day old: open a new one."""


class StudyClient:
    """One teacher's client. `access_token` gives a valid token and is asked again when the server refuses one."""

    def __init__(
        self,
        address: str,
        access_token: Callable[[], str],
        http: requests.Session | None = None,
        client_id: str = "",
    ) -> None:
        self.address = address.rstrip("/")
        self.client_id = client_id or f"client-{uuid.uuid4().hex[:12]}"
        self._http = http or requests.Session()
        self._access_token = access_token
        self._token = ""

    def open(self, activity_id: str, *, take_over: bool = False, journal: Path | None = None) -> StudySession:
        """Begin to study a video. Raises RefusedError, NotReachedError."""
        body = {"activity_id": activity_id, "client_id": self.client_id, "take_over": take_over}
        kept = StudyJournal(journal)
        kept.begin(self.ask("POST", "/study-sessions", body))
        return StudySession(self, kept)

    def resume(self, journal: Path) -> StudySession:
        """The session that a crashed client left behind, with its unconfirmed reports."""
        return StudySession(self, StudyJournal(journal))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON answer. One key for all tries of one request, so that a repetition is harmless."""
        key = str(uuid.uuid4())
        response = self._send(method, path, body, key)
        if response.status_code == 401:
            self._token = ""
            response = self._send(method, path, body, key)
        if response.status_code in LATER:
            raise NotReachedError(f"{response.status_code} {path}")
        answer = _answer(response)
        if not response.ok:
            raise RefusedError(response.status_code, answer.get("code", ""), answer.get("detail", ""))
        return answer

    def _send(self, method: str, path: str, body: dict[str, Any] | None, key: str) -> requests.Response:
        if not self._token:
            self._token = self._access_token()
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        address = f"{self.address}/api/v1{path}"
        try:
            return self._http.request(method, address, json=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise NotReachedError(type(error).__name__) from error


def _answer(response: requests.Response) -> dict[str, Any]:
    """The JSON body; {} for none, and for what something before the gateway says in its own way."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class StudySession:
    """A study session as its client sees it."""

    def __init__(self, client: StudyClient, journal: StudyJournal) -> None:
        self.opened = journal.session
        self.journal = journal
        self._client = client
        self._play_token: str = journal.session["play_token"]

    @property
    def study_session_id(self) -> str:
        return str(self.opened["study_session_id"])

    def report(self, *segments: tuple[int, int]) -> bool:
        """Report stretches in the order they were played; whether they were accepted now. If not, `flush` later."""
        self.journal.save(segments)
        return self.flush()

    def flush(self) -> bool:
        """Send every report that has no receipt yet, oldest first; whether all are accepted.

        Raises RefusedError for a report that the server will never take, StudyEndedError when the session is over and
        some report was never accepted: that time is lost.
        """
        try:
            for saved in self.journal.unconfirmed():
                if not saved.receipt:
                    self._send(saved)
        except NotReachedError:
            return False
        return True

    def resend(self) -> bool:
        """Send again all that is not durable, with receipts: for a broker that has lost what it had accepted."""
        try:
            for saved in self.journal.unconfirmed():
                self._send(saved)
        except NotReachedError:
            return False
        return True

    def answer(self, quiz_id: str, answers: Iterable[str]) -> dict[str, Any]:
        """Answer a quiz. What was watched before it is reported first, so that its time lies before the answer."""
        self.flush()
        body = {"quiz_id": quiz_id, "answers": list(answers)}
        return self._client.ask("POST", f"/study-sessions/{self.study_session_id}/answers", body)

    def confirm_presence(self) -> dict[str, Any]:
        """Answer a presence prompt; `prompt_in_seconds` tells when the next one comes."""
        return self._client.ask("POST", f"/study-sessions/{self.study_session_id}/presence")

    def renew(self) -> dict[str, Any]:
        """A fresh play token, and forget what is durable by now. Raises StudyEndedError only from `report`."""
        renewed = self._client.ask("POST", f"/study-sessions/{self.study_session_id}/token")
        self.journal.make_durable(renewed["durable_seq"])
        if renewed["play_token"]:
            self._play_token = renewed["play_token"]
        return renewed

    def is_durable(self) -> bool:
        return not self.journal.unconfirmed()

    def settle(self, timeout_seconds: float = 30, pause_seconds: float = 0.1) -> bool:
        """Wait until everything reported is durable; re-sends what stays missing. False when time runs out."""
        end = time.monotonic() + timeout_seconds
        resend_at = time.monotonic() + timeout_seconds / 3
        while True:
            self._settle_once(resend=time.monotonic() >= resend_at)
            if self.is_durable():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, 2)

    def _settle_once(self, *, resend: bool) -> None:
        try:
            self.flush()
            self.renew()
            if resend and not self.is_durable():
                self.resend()
        except NotReachedError:
            return

    def _send(self, saved: SavedReport) -> None:
        try:
            answer = self._post(saved)
        except RefusedError as refusal:
            if refusal.code != "learning.play_token_expired":
                raise
            if self.renew()["state"] != "LIVE":
                raise StudyEndedError(self.study_session_id) from refusal
            answer = self._post(saved)
        self.journal.accept(saved.seq, answer["receipt"])

    def _post(self, saved: SavedReport) -> dict[str, Any]:
        body: dict[str, Any] = {
            "play_token": self._play_token,
            "seq": saved.seq,
            "segments": [{"from": begin, "to": end} for begin, end in saved.segments],
        }
        if saved.receipt:
            body["receipt"] = saved.receipt
        return self._client.ask("POST", f"/study-sessions/{self.study_session_id}/segments", body)
