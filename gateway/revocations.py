"""Ended sign-ins, known within a second of the ending.

Identity announces each revocation; every gateway process listens from its first request on (never before a fork) and
first asks identity for those that still matter. An access token lives ten minutes, so an older revocation matters no
more and is forgotten.

What happens when the gateway may have missed one: while the listener is connected its picture is complete. When it has
been out of touch for longer than GRACE, a token issued before the last moment of touch could have been revoked unseen,
so it is refused as unavailable (503, try again), not as revoked. Tokens issued later, and visitors, pass: identity
itself issued those while it knew better. A process that never was in touch treats every token so.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog

from services.shared import clock
from services.shared.actor import ActorSigner, service_actor
from services.shared.errors import NotAllowed, ServiceError, Unavailable

if TYPE_CHECKING:
    from gateway.auth import SignIn
    from gateway.context import Bus

log = structlog.get_logger(__name__)
EVENT = "identity.access_revoked"
KEPT = dt.timedelta(seconds=660)  # the access token's ten minutes and two clocks' skew
# A reconnect takes the broker about 10 s (reliability.md G11); longer is an outage that must not extend old rights.
GRACE_SECONDS = 30.0
SNAPSHOT_SECONDS = 5.0
FIRST_TOUCH_SECONDS = 2.0
PAUSES = (0.5, 1.0, 2.0, 5.0)

Listen = Callable[..., None]
Snapshot = Callable[[], Iterable[dict[str, Any]]]


class _Stopped(Exception):
    """The way out of a listener that knows no other."""


class Revocations:
    """The set of revocations that still matter, and how far it can be trusted.

    `listen(on_connected, on_message, on_idle)` blocks while connected and returns or raises when it is not;
    `snapshot()` asks identity.
    """

    def __init__(self, listen: Listen, snapshot: Snapshot) -> None:
        self._listen = listen
        self._snapshot = snapshot
        self._lock = threading.Lock()
        self._not_before: dict[tuple[uuid.UUID, uuid.UUID | None], dt.datetime] = {}
        self._touched_at: float | None = None  # monotonic
        self._touched_on: dt.datetime | None = None  # business clock, to compare with a token's issue
        self._first_touch = threading.Event()
        self._stopping = threading.Event()
        self._process = 0
        self._started_at = float("-inf")

    @classmethod
    def of(cls, bus: Bus, signer: ActorSigner) -> Revocations:
        """The usual one: from identity's broadcast, and its list."""

        def listen(*callbacks: Any) -> None:
            bus.listen(EVENT, *callbacks)

        def snapshot() -> Iterable[dict[str, Any]]:
            token = signer.sign(service_actor("gateway"), "identity")
            reply = bus.call(
                "identity",
                "list_revocations",
                {},
                actor_token=token,
                command_id=None,
                timeout=SNAPSHOT_SECONDS,
                call_id="",
            )
            items: list[dict[str, Any]] = reply["items"]
            return items

        return cls(listen, snapshot)

    def start(self) -> None:
        """Begin to listen in this process; further calls do nothing. Called by the first request to need it."""
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._started_at = time.monotonic()
        threading.Thread(target=self._run, name="revocations", daemon=True).start()

    def stop(self) -> None:
        """Listen no longer; the thread ends within a second."""
        self._stopping.set()

    def add(self, message: dict[str, Any]) -> None:
        """Take one revocation: {account_id, session_id or null, not_before}. The latest instant wins."""
        session_id = message.get("session_id")
        key = (uuid.UUID(message["account_id"]), uuid.UUID(session_id) if session_id else None)
        not_before = clock.parse_instant(message["not_before"])
        with self._lock:
            known = self._not_before.get(key)
            self._not_before[key] = max(known, not_before) if known else not_before
            self._forget(clock.now() - KEPT)

    def refuse_revoked(self, sign_in: SignIn) -> None:
        """Raises NotAllowed for a revoked sign-in, Unavailable where that cannot be known."""
        # First, because the very first request waits here for the list to arrive.
        known = self._knows(sign_in.issued_at)
        for key in ((sign_in.account_id, None), (sign_in.account_id, sign_in.session_id)):
            not_before = self._not_before.get(key)
            if not_before and sign_in.issued_at <= not_before:
                raise NotAllowed("shared.token_revoked")
        if not known:
            raise Unavailable("shared.unavailable", "", "revocations may have been missed")

    def in_touch(self) -> bool:
        """Whether the picture is complete, give or take the grace."""
        # A first request may be quicker than the listener that it started.
        if self._touched_at is None:
            self._first_touch.wait(max(0.0, self._started_at + FIRST_TOUCH_SECONDS - time.monotonic()))
        return self._touched_at is not None and time.monotonic() - self._touched_at < GRACE_SECONDS

    def _knows(self, issued_at: dt.datetime) -> bool:
        return self.in_touch() or (self._touched_on is not None and issued_at > self._touched_on)

    def _forget(self, before: dt.datetime) -> None:
        if len(self._not_before) > 1000:
            self._not_before = {key: instant for key, instant in self._not_before.items() if instant > before}

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            touched_at = self._touched_at
            try:
                self._listen(self._on_connected, self.add, self._touch)
            except _Stopped:
                return
            except Exception as error:  # noqa: BLE001  the listener must outlive whatever the broker does
                log.warning("revocations_out_of_touch", error=type(error).__name__)
            failures = failures + 1 if self._touched_at == touched_at else 0
            self._stopping.wait(PAUSES[min(failures, len(PAUSES) - 1)])

    def _on_connected(self) -> None:
        # After the subscription, so that nothing falls between the list and the first message.
        try:
            for revocation in self._snapshot():
                self.add(revocation)
        except ServiceError as error:
            raise ConnectionError(error.code) from None
        self._touch()

    def _touch(self) -> None:
        if self._stopping.is_set():
            raise _Stopped
        self._touched_at = time.monotonic()
        self._touched_on = clock.now()
        self._first_touch.set()
