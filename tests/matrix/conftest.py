"""The world of the matrix, made once for all its tests."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import pytest

from services.shared import migrations
from services.shared.keys import KeyRing
from services.shared.settings import SERVICES, Settings
from tests.matrix.world import World, build


@contextlib.contextmanager
def made_world(settings: Settings, keyring: KeyRing, name: str) -> Iterator[World]:
    """An empty installation with databases of its own."""
    # Passwords are hashed in many cells, and their strength is not what is looked at.
    own = dataclasses.replace(
        settings, database_prefix=f"{settings.database_prefix}_{name}", argon2_memory_kib=64, argon2_passes=1
    )
    with contextlib.ExitStack() as stack:
        stack.callback(migrations.drop_all, own)
        for service in SERVICES:
            migrations.migrate_service(own, keyring, service)
        world = World(own, keyring)
        stack.callback(world.operator.close)
        yield world


@pytest.fixture(scope="session")
def world(settings: Settings, keyring: KeyRing) -> Iterator[World]:
    with made_world(settings, keyring, "matrix") as world:
        build(world)
        yield world
