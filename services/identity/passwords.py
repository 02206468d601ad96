"""Password hashes: argon2id, always off the event loop, and the same work whether or not there is an account."""

from __future__ import annotations

import os
import threading
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.identity.hashing import Workspaces
from services.shared.bus import offload
from services.shared.bus.providers import Environment, Provider
from services.shared.settings import Settings

PARALLELISM = 1  # architecture.md decision 19
# Each keeps its memory. A machine with more cores runs several processes of this service.
MOST_AT_ONCE = 4


class Passwords:
    """No more hashes at once than there are cores: they would only take memory, and each other's time."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=PARALLELISM
        )
        self._nobodys_hash = ""
        self._workspaces: Workspaces | None = None
        self._turns = threading.BoundedSemaphore(min(MOST_AT_ONCE, os.cpu_count() or 1))

    def hash(self, password: str) -> str:
        with self._turns:
            hashed: str = offload(self._hasher.hash, password)
        return hashed

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; without a stored hash the answer is no, after the same time."""
        workspaces = self._prepare()
        with self._turns:
            matches = offload(self._matches, workspaces, stored or self._nobodys_hash, password)
        return matches and stored is not None

    def is_outdated(self, stored: str | None) -> bool:
        """Whether there is a hash, made with other parameters than today's."""
        return stored is not None and self._hasher.check_needs_rehash(stored)

    def _prepare(self) -> Workspaces:
        # When first needed: a process that never sees a password need not hash one.
        if self._workspaces is None:
            self._nobodys_hash = self.hash("")
            self._workspaces = Workspaces(self._nobodys_hash)
        return self._workspaces

    def _matches(self, workspaces: Workspaces, stored: str, password: str) -> bool:
        try:
            if workspaces.serves(stored):
                return workspaces.matches(stored, password)
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


class PasswordsProvider(Provider[Passwords]):
    def build(self, service_class: Any, environment: Environment) -> Passwords:
        return Passwords(environment.settings)
