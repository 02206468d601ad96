"""One identity service over a real database."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.identity.passwords import Passwords
from services.identity.service import IdentityService
from services.shared.actor import service_actor
from tests.component.identity.stories import People


@pytest.fixture
def people(component, fixed_clock, keyring, settings):
    people = People(component(IdentityService), fixed_clock, keyring)
    # Hundreds of passwords: the real cost is for the tests that are about it.
    people.service.passwords = Passwords(dataclasses.replace(settings, argon2_memory_kib=64, argon2_passes=1))
    return people


@pytest.fixture
def learning():
    return service_actor("learning")


@pytest.fixture
def in_parallel():
    """`in_parallel(8, call)`: what eight threads that start together got, refusals included."""

    def run(threads, call):
        barrier = threading.Barrier(threads)

        def once():
            barrier.wait()
            try:
                return call()
            except Exception as error:  # noqa: BLE001  the test looks at it
                return error

        with ThreadPoolExecutor(threads) as pool:
            return [future.result() for future in [pool.submit(once) for _ in range(threads)]]

    return run
