"""Which answers may be kept, and conditional reads. Nothing may be kept unless its view says so."""

from __future__ import annotations

import dataclasses

from flask import Request, Response

from gateway.context import call


@dataclasses.dataclass(frozen=True)
class Caching:
    """How long an answer may be kept, by everyone or by the reader alone, and its validator if the view knows one."""

    seconds: int
    public: bool = False
    etag: str = ""


def allow(seconds: int, *, public: bool = False, etag: str = "") -> None:
    """Let this answer be kept for `seconds`; 0 means: keep it, but ask each time (`If-None-Match` then costs no body).

    `public` only for what every visitor may see: a shared proxy will hand it to anyone. Without `etag` the body's
    hash is the validator.
    """
    call().cache = Caching(seconds, public, etag)


def finish(response: Response, request: Request) -> Response:
    """Cache headers of any response, and 304 for a reader who has this version already."""
    caching = call().cache
    if caching is None or response.status_code != 200 or request.method not in ("GET", "HEAD"):
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
    who = "public" if caching.public else "private"
    freshness = f"max-age={caching.seconds}" if caching.seconds else "no-cache"
    response.headers["Cache-Control"] = f"{who}, {freshness}"
    # Texts follow the language, private answers the token.
    response.vary.update(["Accept-Language"] if caching.public else ["Accept-Language", "Authorization"])
    if caching.etag:
        response.set_etag(caching.etag)
    elif not response.direct_passthrough:
        response.add_etag()
    response.make_conditional(request)
    return response
