"""Signing in by password, held against what it cannot undercut: the argon2id that it has to pay.

The limit is argon2id in a process that does nothing else, on as many threads as there are callers. Both take turns, and
each round gives one ratio; their median counts. In the servers mode as many identity processes run as there are cores.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argon2 import PasswordHasher

from services.shared.settings import Settings
from yanxiu.bench import api
from yanxiu.bench.cases import Case, Sample, Threads
from yanxiu.bench.web import Request, WebAsker
from yanxiu.journey import people
from yanxiu.journey.api import Api
from yanxiu.local.launcher import Stack

ARGON2, SIGN_IN = "argon2", "sign_in"
# 0.8 of the limit, the other way round.
GOAL = 1.25
SERIES = 7002  # of invented people; this ground has no others


class Hashing:
    """Verifies one password again and again, as the service does for each sign-in. argon2 lets other threads run."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._hash = self._hasher.hash(api.PASSWORD)

    def ask(self) -> None:
        self._hasher.verify(self._hash, api.PASSWORD)

    def close(self) -> None:
        """Nothing is held."""


def cases(stack: Stack, concurrency: int, database: Callable[[], set[int]]) -> list[Case]:
    """Bare hashing in this process, and whole sign-ins through the stack, by as many callers; each has an account."""
    phones = [people.invent(SERIES, number).phone for number in range(1, concurrency + 1)]
    for phone in phones:
        Api(stack.address).register(phone, api.PASSWORD)
    turn = itertools.cycle(phones)

    def connect() -> WebAsker:
        phone = next(turn)
        return WebAsker(stack.address, lambda: _sign_in(phone))

    hashing = Threads(lambda: Hashing(stack.settings), concurrency)
    return [
        Case(ARGON2, "argon2id alone", hashing, dict, caller_counts=True),
        Case(
            SIGN_IN,
            "POST session by password",
            Threads(connect, concurrency),
            lambda: api.parts_of(stack, database),
            settle_seconds=api.SETTLE_SECONDS,
        ),
    ]


def copies() -> dict[str, int]:
    """How an operator of the servers mode spreads hashing over this machine."""
    return {"identity": os.cpu_count() or 1}


def goals(samples: Mapping[str, Sequence[Sample]]) -> list[dict[str, Any]]:
    """What a sign-in costs, and how long the machine is busy with it, as multiples of its hash alone."""
    pairs = list(zip(samples[SIGN_IN], samples[ARGON2], strict=True))
    return [
        {
            "name": "cpu",
            "told": "CPU time: sign-in / argon2id alone",
            "found": statistics.median(whole.total_us / bare.total_us for whole, bare in pairs),
            "unit": "×",
            "goal": GOAL,
        },
        {
            "name": "rate",
            "told": "rate: argon2id alone / sign-ins",
            "found": statistics.median(bare.rate / whole.rate for whole, bare in pairs),
            "unit": "×",
            "goal": GOAL,
        },
    ]


def _sign_in(phone: str) -> Request:
    body = json.dumps({"phone": phone, "password": api.PASSWORD}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    return Request("POST", f"{api.PREFIX}/sessions", headers, body, 201)
