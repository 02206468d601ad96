"""Settings, read once from the environment. Domain code never reads the environment: values come in as arguments.

Two modes (`architecture.md` decision 3): *embedded* when neither DATABASE_URL nor AMQP_URI is set, *servers* when both
are. Start-up refuses default or missing secrets outside the embedded mode.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from environs import Env

SERVICES = ("identity", "org", "catalog", "learning", "billing", "credits", "certs")


class Mode(enum.StrEnum):
    EMBEDDED = "embedded"
    SERVERS = "servers"


class SettingsError(Exception):
    """The environment asks for something that must not be; the text says what to set."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that differs between installations. Durations are seconds."""

    mode: Mode
    data_dir: Path  # keys, embedded PostgreSQL, files of the folder storage
    database_url: (
        str  # the server, as a role that may create databases (migrations); services log in as their own roles
    )
    amqp_uri: str
    development: bool  # the mailbox and the simulated clock exist only then
    clock_file: str
    database_prefix: str
    base_url: str  # public address, printed in QR codes
    storage_url: str  # "" = folder in data_dir, or s3://bucket?endpoint=…
    anchor_url: str  # "" = folder in data_dir; where the heads of the audit chains are written, once
    sms_url: str  # "" = development mailbox, else the HTTP provider
    sms_token: str
    email_url: str  # the same for e-mail
    email_token: str
    passes_file: str  # "" = no national passes, else a YAML file of issuers (services/identity/passes/issuers.py)
    redis_url: str
    trusted_proxies: int
    rpc_deadline_seconds: float
    pool_size: int
    max_workers: int
    study_shards: int
    study_trail_days: int  # how long study reports are kept as they came
    log_level: str
    argon2_memory_kib: int
    argon2_passes: int
    captcha_difficulty: int  # tries that the longest search takes, a millisecond each in a browser

    @property
    def embedded(self) -> bool:
        return self.mode is Mode.EMBEDDED

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    def database_name(self, service: str) -> str:
        return f"{self.database_prefix}_{service}"


class _MappingEnv(Env):
    """Reads the given mapping only; environs itself would let the process's environment win over it."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        super().__init__()
        self._mapping = mapping

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._mapping.get(env_key, default)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment (or from the mapping that a test gives).

    Raises SettingsError when only one server is named, or when a development aid is asked for in production.
    """
    env = Env() if environment is None else _MappingEnv(environment)
    database_url, amqp_uri = env.str("DATABASE_URL", ""), env.str("AMQP_URI", "")
    if bool(database_url) != bool(amqp_uri):
        raise SettingsError("set both DATABASE_URL and AMQP_URI, or neither for the embedded mode")
    mode = Mode.SERVERS if database_url else Mode.EMBEDDED
    development = env.bool("YANXIU_DEVELOPMENT", mode is Mode.EMBEDDED)
    clock_file = env.str("YANXIU_CLOCK_FILE", "")
    if clock_file and not development:
        raise SettingsError("YANXIU_CLOCK_FILE needs YANXIU_DEVELOPMENT=1: production has one clock, the real one")
    return Settings(
        mode=mode,
        data_dir=Path(env.str("YANXIU_DATA_DIR", ".yanxiu")).absolute(),
        database_url=database_url,
        amqp_uri=amqp_uri or "memory://",
        development=development,
        clock_file=clock_file,
        database_prefix=env.str("YANXIU_DATABASE_PREFIX", "yanxiu"),
        base_url=env.str("YANXIU_BASE_URL", "http://127.0.0.1:8080").rstrip("/"),
        storage_url=env.str("YANXIU_STORAGE_URL", ""),
        anchor_url=env.str("YANXIU_ANCHOR_URL", ""),
        sms_url=env.str("YANXIU_SMS_URL", ""),
        sms_token=env.str("YANXIU_SMS_TOKEN", ""),
        email_url=env.str("YANXIU_EMAIL_URL", ""),
        email_token=env.str("YANXIU_EMAIL_TOKEN", ""),
        passes_file=env.str("YANXIU_PASSES_FILE", ""),
        redis_url=env.str("REDIS_URL", ""),
        trusted_proxies=env.int("YANXIU_TRUSTED_PROXIES", 0),
        rpc_deadline_seconds=env.float("YANXIU_RPC_DEADLINE_SECONDS", 5.0),
        pool_size=env.int("YANXIU_POOL_SIZE", 4 if mode is Mode.EMBEDDED else 10),
        max_workers=env.int("YANXIU_MAX_WORKERS", 4 if mode is Mode.EMBEDDED else 10),
        study_shards=env.int("YANXIU_STUDY_SHARDS", 4),
        study_trail_days=env.int("YANXIU_STUDY_TRAIL_DAYS", 180),
        log_level=env.str("YANXIU_LOG_LEVEL", "INFO"),
        argon2_memory_kib=env.int("YANXIU_ARGON2_MEMORY_KIB", 19 * 1024),
        argon2_passes=env.int("YANXIU_ARGON2_PASSES", 2),
        captcha_difficulty=env.int("YANXIU_CAPTCHA_DIFFICULTY", 4 if development else 2000),
    )
