"""A small client of the public API: signs in, refreshes, repeats what is safe to repeat, and keeps problems readable."""

from __future__ import annotations

import time
import uuid
from typing import Any

import requests

from yanxiu.client.captcha import solve

TEACHER, ADMINISTRATOR = "TEACHER", "ADMINISTRATOR"
# How long an unavailable server is asked again; every unsafe request carries its key, so that it takes effect once.
PATIENCE_SECONDS = 90.0  # longer than the minute between two SMS codes for one phone
LONGEST_PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 30
UNAVAILABLE = frozenset({429, 502, 503, 504})


class ProblemError(Exception):
    """An RFC 9457 answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code', '')} {body.get('field', '')} {body.get('detail', '')}")
        self.status = status
        self.body = body
        self.code = str(body.get("code", ""))
        self.field = str(body.get("field", ""))


class Api:
    """One person's use of the API. Without `sign_in` it is a visitor's."""

    def __init__(self, address: str, language: str = "zh-CN") -> None:
        self.address = address
        self.http = requests.Session()
        self.http.headers["Accept-Language"] = language
        self.account: dict[str, Any] = {}
        self._refresh_token = ""
        self._phone, self._password, self._desk = "", "", TEACHER

    @property
    def account_id(self) -> str:
        return str(self.account.get("account_id", ""))

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, params=query).json()

    def post(self, path: str, body: dict[str, Any] | None = None, **options: Any) -> Any:
        answer = self.send("POST", path, json=body if body is not None else {}, **options)
        return answer.json() if answer.content else None

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self.send("PATCH", path, json=body).json()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, after refreshing an expired sign-in and waiting out 429, 503 and a server that is away.

        The key of an unsafe request stays the same over its repetitions. Raises ProblemError for any other 4xx and 5xx,
        requests.ConnectionError when the server stays away.
        """
        headers = dict(options.pop("headers", {}))
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        deadline, pause, renewed = time.monotonic() + PATIENCE_SECONDS, 0.1, 0
        while True:
            answer = self._once(method, path, headers, options)
            if answer is not None and answer.status_code == 401 and self._may_renew(path) and renewed < 3:
                renewed += 1
                self.renew_sign_in()
                continue
            if answer is not None and answer.status_code not in UNAVAILABLE and not _is_running(answer):
                break
            if time.monotonic() > deadline:
                break
            wanted = float(answer.headers.get("Retry-After", "0")) if answer is not None else 0.0
            time.sleep(min(max(wanted, pause), LONGEST_PAUSE_SECONDS))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        if answer is None:
            raise requests.ConnectionError(f"{self.address} stays away")
        if answer.status_code >= 400:
            raise ProblemError(answer.status_code, _body(answer))
        return answer

    def _once(
        self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]
    ) -> requests.Response | None:
        """One try; None when no answer came."""
        try:
            return self.http.request(
                method, f"{self.address}/api/v1{path}", headers=headers, timeout=TIMEOUT_SECONDS, **options
            )
        except (requests.ConnectionError, requests.Timeout):
            return None

    def _may_renew(self, path: str) -> bool:
        return bool(self._refresh_token) and not path.startswith("/sessions")

    # --- signing in ---

    def captcha(self) -> str:
        """A captcha, solved as the browser's widget does."""
        return solve(self.post("/captchas")["challenge"])

    def sms_code(self, phone: str, purpose: str) -> str:
        """Ask for a code, and read it in the development mailbox."""
        self.post("/sms-codes", {"phone": phone, "purpose": purpose, "captcha": self.captcha()})
        return self._newest_code(phone)

    def _newest_code(self, phone: str) -> str:
        messages = self.get("/development/messages", phone=phone)["items"]
        return next(str(message["code"]) for message in messages if message["code"])

    def register(self, phone: str, password: str = "", identity: str = "TEACHER") -> None:
        body = {"phone": phone, "sms_code": self.sms_code(phone, "REGISTER"), "identity": identity}
        self._take(self.post("/accounts", body | ({"password": password} if password else {})))
        self._phone, self._password, self._desk = phone, password, TEACHER

    def sign_in(self, phone: str, password: str = "", desk: str = TEACHER) -> None:
        """At the teacher's desk by password or, without one, by SMS code; at the administrator's by both."""
        # Whoever signs in is nobody yet, also when this client knew somebody.
        self.http.headers.pop("Authorization", None)
        body = {"phone": phone, "desk": desk}
        if password:
            body["password"] = password
        if desk == ADMINISTRATOR or not password:
            body["sms_code"] = self.sms_code(phone, "SIGN_IN")
        if desk == ADMINISTRATOR:
            body["captcha"] = self.captcha()
        self._take(self.post("/sessions", body))
        self._phone, self._password, self._desk = phone, password, desk

    def open_desk(self) -> None:
        """Go to the administrator's desk in this sign-in."""
        self._desk = ADMINISTRATOR
        proofs = {
            "password": self._password,
            "sms_code": self.sms_code(self._phone, "SIGN_IN"),
            "captcha": self.captcha(),
        }
        opened = self.post("/sessions/current/desk", {"desk": ADMINISTRATOR, **proofs})
        self.http.headers["Authorization"] = f"Bearer {opened['access_token']}"

    def step_up(self) -> None:
        """Type a fresh code, for what asks for it."""
        self.post("/step-up-codes")
        stepped = self.post("/step-up", {"sms_code": self._newest_code(self._phone)})
        self.http.headers["Authorization"] = f"Bearer {stepped['access_token']}"

    def refresh(self) -> None:
        # The old access token may be revoked, and a revoked one is refused wherever it is shown.
        self.http.headers.pop("Authorization", None)
        refreshed = self.post("/sessions/refresh", {"refresh_token": self._refresh_token})
        self._take(refreshed)
        if self._desk == ADMINISTRATOR != refreshed["desk"]:
            # It closes at the end of a working day; the simulated clock jumps over weeks.
            self.open_desk()

    def renew_sign_in(self) -> None:
        """Refresh; a refresh token whose answer was lost counts as stolen, so then sign in again."""
        try:
            self.refresh()
        except ProblemError:
            self.sign_in(self._phone, self._password, self._desk)

    def _take(self, answer: dict[str, Any]) -> None:
        tokens = answer.get("tokens", answer)
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self._refresh_token = tokens["refresh_token"]
        self.account = answer.get("account") or self.account


def _is_running(answer: requests.Response) -> bool:
    """Whether an earlier try of this very request, whose answer was lost, is still at work."""
    return answer.status_code == 409 and _body(answer).get("code") == "shared.in_progress"


def _body(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = {"detail": answer.text[:200]}
    return body if isinstance(body, dict) else {"detail": str(body)}
