"""Captchas: a signed task that costs a browser about a second, and a script as much for each try (altcha, PoW v2).

Nothing is stored until one is accepted. No picture is shown, no third party is asked, and nobody is told apart.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

import altcha

from services.shared.bus.providers import Environment, Provider

ALGORITHM = "PBKDF2/SHA-256"  # browsers have it built in
ITERATIONS = 1000  # of one try
LIFETIME_SECONDS = 600  # time to fill in the form; by the real clock, which the library compares with
LONGEST_SOLUTION = 2000


@dataclasses.dataclass(frozen=True)
class Solved:
    """A right solution that still has to be spent."""

    nonce: str
    expires_at: dt.datetime


class Captchas:
    """Makes and checks challenges. `difficulty`: how many tries the longest search takes."""

    def __init__(self, secret: bytes, difficulty: int) -> None:
        self._secret = hmac.new(secret, b"captcha", hashlib.sha256).digest()
        self._key_secret = hmac.new(secret, b"captcha key", hashlib.sha256).digest()
        self._difficulty = max(1, difficulty)

    def challenge(self) -> dict[str, Any]:
        """A fresh task, as the altcha widget takes it."""
        counter = self._difficulty // 2 + secrets.randbelow(self._difficulty - self._difficulty // 2)
        made: dict[str, Any] = altcha.create_challenge(
            ALGORITHM,
            ITERATIONS,
            counter=counter,
            expires_at=int(time.time()) + LIFETIME_SECONDS,
            hmac_secret=self._secret,
            hmac_key_secret=self._key_secret,
        ).to_dict()
        return made

    def check(self, solution: str) -> Solved | None:
        """The captcha that this solves, None for anything forged, wrong or too old."""
        try:
            # Bounded and plain before the library recurses into it.
            decoded = json.loads(base64.b64decode(solution, validate=True)) if len(solution) <= LONGEST_SOLUTION else {}
            parameters = decoded["challenge"]["parameters"]
            nonce, expires_at = str(parameters["nonce"]), dt.datetime.fromtimestamp(parameters["expiresAt"], dt.UTC)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError, binascii.Error):
            return None
        checked = altcha.verify_solution(solution, self._secret, hmac_key_secret=self._key_secret)
        # Only now are the parameters known to be ours.
        return Solved(nonce, expires_at) if checked.verified else None


class CaptchasProvider(Provider[Captchas]):
    def build(self, service_class: Any, environment: Environment) -> Captchas:
        return Captchas(environment.keyring.secret("blind-index"), environment.settings.captcha_difficulty)
