"""Settings: the two modes, and what start-up refuses."""

from __future__ import annotations

import pytest

from services.shared.settings import Mode, SettingsError, load_settings


def test_without_servers_the_mode_is_embedded() -> None:
    settings = load_settings({})
    assert settings.mode is Mode.EMBEDDED
    assert settings.amqp_uri == "memory://"


def test_a_given_mapping_hides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URI", "amqp://elsewhere")
    monkeypatch.setenv("YANXIU_MAX_WORKERS", "77")
    settings = load_settings({"YANXIU_STUDY_SHARDS": "2"})
    assert (settings.amqp_uri, settings.max_workers, settings.study_shards) == ("memory://", 4, 2)


@pytest.mark.parametrize("named", ["DATABASE_URL", "AMQP_URI"])
def test_one_server_alone_is_refused(named: str) -> None:
    with pytest.raises(SettingsError, match="both"):
        load_settings({named: "somewhere"})


def test_a_simulated_clock_is_refused_in_production() -> None:
    servers = {"DATABASE_URL": "postgresql://x", "AMQP_URI": "amqp://x", "YANXIU_CLOCK_FILE": "/clock"}
    with pytest.raises(SettingsError, match="DEVELOPMENT"):
        load_settings(servers)
    assert load_settings({**servers, "YANXIU_DEVELOPMENT": "1"}).clock_file == "/clock"
