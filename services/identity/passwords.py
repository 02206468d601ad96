"""Password hashes: argon2id, always off the event loop, and the same work whether or not there is an account."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.shared.bus import offload
from services.shared.bus.providers import Environment, Provider
from services.shared.settings import Settings

PARALLELISM = 1  # architecture.md decision 19


class Passwords:
    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=PARALLELISM
        )
        self._nobodys_hash = ""

    def hash(self, password: str) -> str:
        hashed: str = offload(self._hasher.hash, password)
        return hashed

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; without a stored hash the answer is no, after the same time."""
        if not self._nobodys_hash:
            self._nobodys_hash = self.hash("")
        matches = offload(self._matches, stored or self._nobodys_hash, password)
        return matches and stored is not None

    def is_outdated(self, stored: str | None) -> bool:
        """Whether there is a hash, made with other parameters than today's."""
        return stored is not None and self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


class PasswordsProvider(Provider[Passwords]):
    def build(self, service_class: Any, environment: Environment) -> Passwords:
        return Passwords(environment.settings)
