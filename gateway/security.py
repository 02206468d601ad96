"""Response headers that keep a browser from doing what no page of ours needs. No CORS: other origins get nothing."""

from __future__ import annotations

import secrets

from flask import Response, g

from gateway.context import call, gateway
from services.shared.settings import Settings

# JSON is never rendered; if a browser is tricked into it, nothing in it may run.
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Our few pages: own files only; inline styles by nonce.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers without frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TWO_YEARS = 63_072_000  # https://hstspreload.org asks for at least one


def style_nonce() -> str:
    """A value for `<style nonce="…">` in a page of ours; also `csp_nonce()` in templates."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    return g.style_nonce


def add_headers(response: Response) -> None:
    response.headers.update(api_headers(gateway().settings))
    response.headers["Content-Security-Policy"] = _policy(response)


def api_headers(settings: Settings) -> dict[str, str]:
    """The headers of an answer that is no page."""
    headers = {**HEADERS, "Content-Security-Policy": API_POLICY}
    if settings.base_url.startswith("https:"):
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    return headers


def _policy(response: Response) -> str:
    if call().page_policy:
        return call().page_policy
    if response.mimetype != "text/html":
        return API_POLICY
    nonce = f" 'nonce-{g.style_nonce}'" if "style_nonce" in g else ""
    return PAGE_POLICY.format(nonce=nonce)
