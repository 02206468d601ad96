"""The gateway over a fake bus, without PostgreSQL: `client`, `bus`, and tokens as identity makes them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OKPKey

from gateway.app import create_app
from services.shared import clock
from services.shared.actor import Desk, Role
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.settings import Settings, load_settings
from tests.fakes import FakeBus


@pytest.fixture(scope="session")
def gateway_keyring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing(tmp_path_factory.mktemp("keys"), generate=True)


@pytest.fixture
def gateway_settings(tmp_path: Path) -> Settings:
    return dataclasses.replace(load_settings({}), data_dir=tmp_path)


@pytest.fixture
def bus(gateway_keyring: KeyRing) -> FakeBus:
    return FakeBus(gateway_keyring)


@pytest.fixture
def make_app(gateway_settings: Settings, gateway_keyring: KeyRing, bus: FakeBus) -> Iterator[Callable[..., Flask]]:
    """`make_app(module, ..., limit_scale=1, redis_url="…")`: an application of these blueprints, or of the real ones."""
    made: list[Flask] = []

    def make(*modules: types.ModuleType, limit_scale: int = 1000, **changes: Any) -> Flask:
        settings = dataclasses.replace(gateway_settings, **changes)
        options = {"modules": modules or None, "limit_scale": limit_scale}
        made.append(create_app(settings, bus=bus, keyring=gateway_keyring, **options))
        return made[-1]

    yield make
    for app in made:
        app.extensions["yanxiu"].revocations.stop()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    from tests.gateway import sample

    return make_app(sample)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Tokens:
    """Access tokens as identity signs them; every claim can be replaced."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    def make(self, account_id: uuid.UUID | None = None, *grants: tuple[Role, str], **claims: Any) -> str:
        now = int(clock.now().timestamp())
        body = {
            "iss": "identity",
            "sub": str(account_id or new_id()),
            "sid": str(new_id()),
            "idn": "TEACHER",
            "grants": [[role, place] for role, place in grants],
            "iat": now,
            "exp": now + 600,
            "ver": 1,
            "dsk": Desk.ADMINISTRATOR if grants else Desk.TEACHER,
            **claims,
        }
        return self.sign({key: value for key, value in body.items() if value is not None})

    def sign(self, claims: dict[str, Any], purpose: str = "access-token", algorithm: str = "EdDSA") -> str:
        pem = self._keyring.signing_key(purpose).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return jwt.encode({"alg": algorithm}, claims, OKPKey.import_key(pem), algorithms=[algorithm])

    def headers(self, account_id: uuid.UUID | None = None, *grants: tuple[Role, str], **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.make(account_id, *grants, **claims)}"}


@pytest.fixture
def tokens(gateway_keyring: KeyRing) -> Tokens:
    return Tokens(gateway_keyring)


@pytest.fixture
def now() -> dt.datetime:
    return clock.now()
