"""The portal's files as browsers get them: coding, caching, one page for all its addresses, and a policy without exceptions."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import portal
from tests.gateway import sample

PAGE = b"<!doctype html><title>portal</title>"
SCRIPT = b"console.log(1);" * 100
NAME = "assets/index-AbC123_-.js"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "icon.svg").write_bytes(b"<svg/>")
    (folder / NAME).write_bytes(SCRIPT)
    (folder / f"{NAME}.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (folder / f"{NAME}.br").write_bytes(b"as brotli packs it")
    (folder / ".built-from").write_text("digest")
    monkeypatch.setattr(portal, "FOLDER", folder)
    return folder


@pytest.fixture
def browser(built: Path, make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(sample).test_client()


def test_the_host_alone_leads_to_the_portal(browser: FlaskClient) -> None:
    answer = browser.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/portal/")


@pytest.mark.parametrize("path", ["", "study", "school-desk/teachers?state=PENDING", "index.html"])
def test_every_address_of_the_portal_is_the_page(browser: FlaskClient, path: str) -> None:
    answer = browser.get(f"/portal/{path}")
    assert (answer.status_code, answer.data) == (200, PAGE)
    assert answer.headers["Cache-Control"] == "public, no-cache"
    again = browser.get(f"/portal/{path}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_page_lets_in_own_files_only(browser: FlaskClient) -> None:
    policy = browser.get("/portal/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "//" not in policy
    assert "*" not in policy


def test_only_its_own_addresses(browser: FlaskClient) -> None:
    assert browser.get("/nothing").status_code == 404
    assert browser.get("/api/v1/nothing").status_code == 404
    assert browser.get("/portal").status_code == 308


@pytest.mark.parametrize(
    ("accepted", "coding", "data"),
    [
        ("gzip, deflate, br", "br", b"as brotli packs it"),
        ("gzip", "gzip", gzip.compress(SCRIPT, mtime=0)),
        ("br;q=0, gzip", "gzip", None),
        ("identity", None, SCRIPT),
        ("", None, SCRIPT),
    ],
)
def test_the_best_coding_that_the_browser_takes(
    browser: FlaskClient, accepted: str, coding: str | None, data: bytes | None
) -> None:
    answer = browser.get(f"/portal/{NAME}", headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert data is None or answer.data == data or gzip.decompress(answer.data) == SCRIPT


def test_named_by_digest_and_kept_for_a_year(browser: FlaskClient) -> None:
    assert browser.get(f"/portal/{NAME}").headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in browser.get("/portal/icon.svg").headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["assets/gone-1234.js", "assets/../index.html/..%2f..%2fapp.py", "assets/%2e%2e/%2e%2e/__init__.py", f"{NAME}.br"],
)
def test_what_is_not_built_is_not_served(browser: FlaskClient, path: str) -> None:
    answer = browser.get(f"/portal/{path}")
    assert answer.status_code in (400, 404)


def test_nothing_that_is_hidden_is_served(browser: FlaskClient) -> None:
    assert b"digest" not in browser.get("/portal/.built-from").data


def test_without_a_build_it_says_what_to_do(make_app: Callable[..., Flask], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(portal, "FOLDER", tmp_path / "nothing")
    client = make_app(sample).test_client()
    answer = client.get("/portal/")
    assert answer.status_code == 503
    assert "make portal" in answer.get_data(as_text=True)
    assert client.get("/api/v1/nothing").status_code == 404


def test_the_sources_ask_no_other_host() -> None:
    """Every address in the page's own code is relative; what packages say in comments is dropped by the build."""
    sources = [
        path for path in (Path(portal.__file__).parent / "src").rglob("*") if path.suffix in {".ts", ".vue", ".css"}
    ]
    assert sources
    found = [
        str(path)
        for path in sources
        if path.name != "schema.d.ts" and re.search(r"https?://(?!127\.)", path.read_text("utf-8"))
    ]
    assert found == []
