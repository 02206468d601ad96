"""Video files by ranges, and nothing else of the disk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.shared.settings import Settings
from tests.gateway import sample

CLIP = bytes(range(256)) * 4


@pytest.fixture
def browser(make_app: Callable[..., Flask], gateway_settings: Settings) -> FlaskClient:
    folder = gateway_settings.media_dir / "winter"
    folder.mkdir(parents=True)
    (folder / "v1.webm").write_bytes(CLIP)
    (folder / "notes.txt").write_text("not for browsers")
    (gateway_settings.data_dir / "secret.webm").write_bytes(b"outside")
    return make_app(sample).test_client()


def test_a_file_whole(browser: FlaskClient) -> None:
    with browser.get("/media/winter/v1.webm") as answer:
        assert (answer.status_code, answer.data, answer.mimetype) == (200, CLIP, "video/webm")
        assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_a_range_as_players_ask_for_it(browser: FlaskClient) -> None:
    with browser.get("/media/winter/v1.webm", headers={"Range": "bytes=100-199"}) as answer:
        assert (answer.status_code, answer.data) == (206, CLIP[100:200])
        assert answer.headers["Content-Range"] == f"bytes 100-199/{len(CLIP)}"
    with browser.get("/media/winter/v1.webm", headers={"Range": "bytes=9999-"}) as answer:
        assert answer.status_code == 416


@pytest.mark.parametrize(
    "name",
    [
        "winter/gone.webm",
        "winter/notes.txt",
        "winter",
        "../secret.webm",
        "winter/../../secret.webm",
        "%2e%2e/secret.webm",
        "/etc/passwd",
    ],
)
def test_nothing_else(browser: FlaskClient, name: str) -> None:
    assert browser.get(f"/media/{name}").status_code in (308, 400, 404)
