"""The web portal: a client of the public API and nothing more. This module hands out its built files.

`make portal` builds them into `dist/`. Files under `assets/` carry a digest in their names and are kept for a year; every
other address below `/portal/` is the one page, which reads its address itself.
"""

from __future__ import annotations

import dataclasses
import hashlib
import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from gateway import caching
from gateway.context import call

FOLDER = Path(__file__).parent / "dist"
PAGE = "index.html"
EXTENSION = "yanxiu.portal"
# Element Plus and ECharts set styles through the DOM only; no inline script or style is let in.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
# Best first; what a build leaves uncompressed is smaller that way.
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

portal = Blueprint("portal", __name__, template_folder="templates")


@dataclasses.dataclass(frozen=True)
class Asset:
    """One built file; `variants` by content coding, "" for the plain one."""

    media_type: str
    etag: str
    variants: dict[str, bytes]


def install(app: Flask) -> None:
    """Serve what is built; with nothing there, a page that says so."""
    app.extensions[EXTENSION] = _read(FOLDER)
    app.register_blueprint(portal)


def _read(folder: Path) -> dict[str, Asset]:
    """Every built file by its path. All are kept in memory: two megabytes, and no path of a request touches the disk."""
    suffixes = {suffix for _, suffix in ENCODINGS}
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in suffixes and not path.name.startswith("."):
            found[path.relative_to(folder).as_posix()] = _asset(path)
    return found


def _asset(path: Path) -> Asset:
    plain = path.read_bytes()
    variants = {"": plain}
    for coding, suffix in ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if packed.exists():
            variants[coding] = packed.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(media_type, hashlib.sha256(plain).hexdigest()[:32], variants)


@portal.get("/")
def front_door() -> BaseResponse:
    """Whoever types the host alone wants the portal."""
    return redirect("/portal/")


@portal.get("/portal/")
@portal.get("/portal/<path:path>")
def page(path: str = "") -> Response:
    """A built file, or the page for every address that the page's own router reads."""
    files: dict[str, Asset] = current_app.extensions[EXTENSION]
    if path in files and path != PAGE:
        return _send(files[path], path)
    if path.startswith("assets/"):
        abort(404)
    call().page_policy = PAGE_POLICY
    if PAGE not in files:
        return Response(render_template("portal_missing.html"), 503)
    caching.allow(0, public=True, etag=files[PAGE].etag)
    return _encoded(files[PAGE])


def _send(asset: Asset, path: str) -> Response:
    response = _encoded(asset)
    if path.startswith("assets/"):
        response.headers["Cache-Control"] = FOREVER
    else:
        caching.allow(3600, public=True, etag=asset.etag)
    return response


def _encoded(asset: Asset) -> Response:
    """The asset in the best coding that the browser takes."""
    coding = next((name for name, _ in ENCODINGS if name in asset.variants and _takes(name)), "")
    response = Response(asset.variants[coding], content_type=_content_type(asset))
    if coding:
        response.headers["Content-Encoding"] = coding
    if len(asset.variants) > 1:
        response.vary.add("Accept-Encoding")
    return response


def _takes(coding: str) -> bool:
    return request.accept_encodings.quality(coding) > 0


def _content_type(asset: Asset) -> str:
    is_text = asset.media_type.startswith("text/") or asset.media_type.endswith(("javascript", "json"))
    return f"{asset.media_type}; charset=utf-8" if is_text else asset.media_type
