"""How often an operation may be called. The table below is the whole truth; the API document prints it.

Counted per account where one is signed in, otherwise per network address. Counts live in this process, or in Redis
when REDIS_URL is set: with several gateway processes only Redis makes the figures exact.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

import structlog
from limits import RateLimitItem, parse_many
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from services.shared.actor import Actor
from services.shared.errors import LimitReached, Unavailable

REDIS_SECONDS = 0.2
# While Redis is away not every request tries it: a black hole would cost each of them the time above.
AWAY_SECONDS = 1.0
log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Limit:
    """Figures for a signed-in account and for an address.

    `closed`: refuse when the counter itself is out of order. `failures_only`: what succeeds is taken off the count again.
    """

    per_account: str
    per_address: str
    closed: bool = False
    failures_only: bool = False

    def document(self) -> dict[str, Any]:
        return {
            "per_account": self.per_account,
            "per_address": self.per_address,
            "counts": "failures" if self.failures_only else "calls",
            "without_counter": "refused" if self.closed else "admitted",
        }


# A school's staff room shares one address (NAT), so address figures are generous where nothing can be guessed.
READ = Limit("600/minute", "1200/minute")
WRITE = Limit("120/minute", "600/minute")
# reliability.md S8: at most 30 guesses a minute from one address; identity itself locks the account. A guess is what
# fails: two hundred teachers who sign in rightly on a training day, behind one address, are no attack.
GUESSABLE = Limit("30/minute", "30/minute", closed=True, failures_only=True)
LIMITS: dict[str, Limit] = {
    # An SMS costs money and annoys a stranger (S8, T8); identity also limits each phone. The hour's figure lets a large
    # school register in a morning.
    "request_sms_code": Limit("10/hour", "30/minute;600/hour", closed=True),
    "sign_in": GUESSABLE,
    "register_account": GUESSABLE,
    "recover_password": GUESSABLE,
    "choose_desk": GUESSABLE,
    "step_up": GUESSABLE,
    "request_step_up_code": Limit("10/hour", "30/minute", closed=True),
    # Each is half a millisecond of hashing.
    "issue_captcha": Limit("60/minute", "600/minute", closed=True),
    # It asks for the old one: whoever found a signed-in phone must not try all passwords.
    "set_password": Limit("10/minute", "60/minute", closed=True, failures_only=True),
    "refresh_session": Limit("60/minute", "600/minute", closed=True),
    # Eighty-four bits are not guessed; org counts guesses as well.
    "activate_authority_code": Limit("10/minute", "30/minute", closed=True, failures_only=True),
    # Changing the phone: codes as above; a ticket costs support's time, and its photos our space.
    "start_phone_change": Limit("10/hour", "30/minute", closed=True),
    "name_new_phone": Limit("10/hour", "30/minute", closed=True),
    "prove_old_phone": GUESSABLE,
    "complete_phone_change": GUESSABLE,
    "request_ticket_code": Limit("10/hour", "30/minute;300/hour", closed=True),
    "open_phone_ticket": Limit("10/hour", "60/hour", closed=True),
    "add_phone_ticket_photo": Limit("30/hour", "180/hour", closed=True),
    "view_phone_ticket": Limit("300/hour", "600/hour", closed=True),
    # Ten files a round, each of ten megabytes at most.
    "add_attachment": Limit("60/hour", "180/hour", closed=True),
    "view_evidence": Limit("600/hour", "1200/hour", closed=True),
    # A hundred and twenty-eight bits are not guessed; whoever wants to stop a theft must not wait for a counter.
    "stop_phone_ticket": Limit("30/minute", "60/minute"),
    "start_pass_sign_in": Limit("30/minute", "300/minute", closed=True),
    "complete_pass_sign_in": GUESSABLE,
    # Answers tell something about somebody who may be another; identity counts them by the day.
    "ask_for_own_account": Limit("10/minute", "30/minute", closed=True),
    "add_teacher": Limit("60/hour", "120/hour", closed=True),
    "search_people": Limit("60/minute", "600/minute", closed=True),
    "reveal_profile_review": Limit("30/minute", "120/minute", closed=True),
    "show_identity_history": Limit("30/minute", "120/minute", closed=True),
    "request_email_code": Limit("10/hour", "30/minute", closed=True),
    "confirm_email": GUESSABLE,
    "request_erasure_code": Limit("10/hour", "30/minute;600/hour", closed=True),
    "request_erasure": GUESSABLE,
    # Certificate numbers must not be walked through (T10, S12).
    "verify_certificate": Limit("60/minute", "60/minute", closed=True),
    # Two thousand numbers a minute: whoever guesses meets one of a season's 14 million after some ten months, masked.
    "verify_certificates": Limit("10/minute", "10/minute", closed=True),
    # Two hundred and fifty-six bits are not guessed; a link that was passed on is not read by the thousand either.
    "open_share": Limit("30/minute", "30/minute", closed=True),
    "render_shared": Limit("30/minute", "30/minute", closed=True),
    "share_certificate": Limit("30/hour", "120/hour"),
    "get_credential": Limit("60/minute", "60/minute", closed=True),
    "verify_certificate_page": Limit("60/minute", "60/minute", closed=True),
    # A minute of study is one report; several come after a broken network. Losing one costs a teacher's time: open.
    "report_segments": Limit("240/minute", "60000/minute"),
    # An answer is saved at each click, and losing one costs points: open.
    "save_exam_answers": Limit("240/minute", "60000/minute"),
    # Each reads an index by some twenty keys.
    # Each of ten megabytes at most.
    "add_course_material": Limit("60/hour", "180/hour", closed=True),
    "view_course_material": Limit("120/hour", "6000/hour"),
    "search_course": Limit("60/minute", "6000/minute"),
    "report_course_text": Limit("30/hour", "6000/hour"),
    "start_exam_attempt": Limit("20/minute", "6000/minute"),
    # A file of thousands of questions each.
    "import_question_bank": Limit("20/minute", "60/minute"),
    # Whoever asks by learner number learns where its holder is: enough for a day's desk, too little to walk the numbers.
    "preview_transfer": Limit("20/minute;300/hour", "60/minute", closed=True),
    "request_transfer": Limit("20/minute;300/hour", "60/minute", closed=True),
    "place_hold": Limit("60/minute", "120/minute", closed=True),
    "upload_job": Limit("10/minute", "60/minute", closed=True),
    # Personal data leaves by these two: fail closed, and slow enough that a stolen sign-in does not carry much away.
    "request_export": Limit("10/hour", "60/hour", closed=True),
    "open_download": Limit("10/minute;60/hour", "60/minute", closed=True),
    "redeem_download": Limit("10/minute;60/hour", "60/minute", closed=True),
    "render_teacher_sheet": Limit("20/minute;200/hour", "60/minute", closed=True),
    "render_school_list": Limit("10/hour", "60/hour", closed=True),
    # A county reads each of them; one teacher needs one, and takes it back when the name was wrong.
    "request_school": Limit("10/hour", "600/hour"),
    # Numbers in clear, one school at a time: nobody has to call hundreds of them in an hour.
    "reveal_school_contact": Limit("60/hour", "120/hour", closed=True),
    "render_certificate": Limit("60/minute", "120/minute"),
}


def for_operation(operation_id: str, method: str) -> Limit:
    """The limit of an operation; by method where the table names none."""
    return LIMITS.get(operation_id, READ if method.lower() in ("get", "head") else WRITE)


def _counter(limit: Limit, operation: str, actor: Actor) -> tuple[str, str, str]:
    """(figures, operation, who) of the counter that a call belongs to."""
    if actor.account_id:
        return limit.per_account, operation, f"account:{actor.account_id}"
    return limit.per_address, operation, f"address:{actor.address}"


class Limiter:
    """Counts calls. `scale` multiplies every figure (load tests and the demo, whose clients share one address)."""

    def __init__(self, redis_url: str, scale: int = 1) -> None:
        self._redis_url = redis_url
        self._scale = scale
        self._lock = threading.Lock()
        self._strategy: FixedWindowRateLimiter | None = None
        self._parsed: dict[str, list[RateLimitItem]] = {}
        self._away_until = 0.0  # monotonic

    def count(self, operation_id: str, method: str, actor: Actor) -> None:
        """Count one call. Raises LimitReached, or Unavailable where a closed limit cannot be counted."""
        limit = for_operation(operation_id, method)
        wait = self._wait(*_counter(limit, operation_id or method, actor))
        if wait is None and limit.closed:
            raise Unavailable("shared.unavailable", "", "the limit cannot be counted")
        if wait:
            raise LimitReached("shared.limit_reached", "", f"retry_after_seconds={wait}")

    def forgive(self, operation_id: str, method: str, actor: Actor) -> None:
        """Take a call that succeeded off the count again, where only failures count. Never raises."""
        limit = for_operation(operation_id, method)
        if not limit.failures_only:
            return
        figures, *identifiers = _counter(limit, operation_id or method, actor)
        try:
            for item in self._items(figures):
                self._open().hit(item, *identifiers, cost=-1)
        except Exception as error:  # noqa: BLE001  the answer is made already; a count too high ends with its window
            log.warning("limit_not_counted", error=type(error).__name__)

    def _wait(self, figures: str, *identifiers: str) -> int | None:
        """Seconds to wait, 0 for none; None when the counter is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return max(self._hit(item, *identifiers) for item in self._items(figures))
        except Exception as error:  # noqa: BLE001  whatever Redis raises, the limit's own rule decides
            log.warning("limit_not_counted", error=type(error).__name__)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None

    def _hit(self, item: RateLimitItem, *identifiers: str) -> int:
        """0 when the call is within `item`, else the seconds until its window ends."""
        strategy = self._open()
        if strategy.hit(item, *identifiers):
            return 0
        return max(1, int(strategy.get_window_stats(item, *identifiers).reset_time - time.time()) + 1)

    def _items(self, figures: str) -> list[RateLimitItem]:
        if figures not in self._parsed:
            items = parse_many(figures)
            self._parsed[figures] = [type(item)(item.amount * self._scale, item.multiples) for item in items]
        return self._parsed[figures]

    def _open(self) -> FixedWindowRateLimiter:
        # On first use, not at start: a connection made before gunicorn forks would be shared by its workers.
        with self._lock:
            if self._strategy is None:
                self._strategy = FixedWindowRateLimiter(self._storage())
            return self._strategy

    def _storage(self) -> Storage:
        if not self._redis_url:
            return WindowStorage()
        # Only where Redis is used: the library costs 10 MB.
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # The client's defaults wait without end and try four times; a counter is not worth that.
        patience: dict[str, Any] = {
            "socket_timeout": REDIS_SECONDS,
            "socket_connect_timeout": REDIS_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        storage = storage_from_string(self._redis_url, **patience)
        assert isinstance(storage, Storage)  # not the library's asyncio one
        return storage


class WindowStorage(Storage):
    """Counters in this process. The library's own starts a thread per burst that scans every key; this one sweeps
    when it has doubled.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = 10_000

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            count, ends_at = self._counts.get(key, (0, 0.0))
            if ends_at <= now:
                count, ends_at = 0, now + expiry
            self._counts[key] = (count + amount, ends_at)
            if len(self._counts) >= self._sweep_at:
                self._sweep(now)
            return count + amount

    def _sweep(self, now: float) -> None:
        self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}
        self._sweep_at = max(10_000, 2 * len(self._counts))

    def get(self, key: str) -> int:
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._lock:
            number = len(self._counts)
            self._counts.clear()
        return number

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)
