"""Issuers of passes: the settings' file, and talking to them (OpenID Connect Core 1.0, code flow with PKCE)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from services.identity.passes.rules import is_subject
from services.shared.bus.providers import Environment, Provider
from services.shared.errors import InvalidInput, Unavailable
from services.shared.settings import SettingsError
from services.shared.yaml_files import YamlError, read_yaml

# A person waits; a call has five seconds in all, and the token and the keys may both have to be fetched.
CONNECT_SECONDS, READ_SECONDS = 1.0, 1.5
LARGEST_ANSWER = 256 * 1024
CACHED_SECONDS = 3600.0
# An unknown key id makes us look for new keys, but not each time somebody makes one up.
REFRESH_PAUSE_SECONDS = 60.0
# Asymmetric only: with HMAC whoever knows the client secret could issue passes, with "none" anybody.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
CLOCK_SKEW_SECONDS = 60
OLDEST_TOKEN_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Issuer:
    """One issuer as the operator describes it. `name` is ours, short and stable; `issuer` is theirs, compared exactly."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    title_zh: str
    title_en: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


class _Title(Schema):
    zh = fields.String(required=True, validate=validate.Length(1, 40))
    en = fields.String(required=True, validate=validate.Length(1, 40))


class _IssuerFile(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=validate.Regexp(r"\A[a-z][a-z0-9-]{0,30}\Z"))
    issuer = fields.String(required=True)
    client_id = fields.String(required=True, validate=validate.Length(1))
    client_secret = fields.String(required=True, validate=validate.Length(1))
    title = fields.Nested(_Title, required=True)
    redirect_uris = fields.List(fields.String(), required=True, validate=validate.Length(1))
    scopes = fields.List(fields.String(), load_default=lambda: ["openid"])


def read_issuers(path: Path, *, development: bool) -> dict[str, Issuer]:
    """The issuers that a file names. Raises SettingsError for anything that is not whole, unique and https."""
    try:
        entries = _IssuerFile(many=True).load(read_yaml(path).content)
    except OSError as error:
        raise SettingsError(f"YANXIU_PASSES_FILE: {type(error).__name__}") from None
    except (YamlError, ValidationError):
        # Its text may quote the secret.
        raise SettingsError(f"YANXIU_PASSES_FILE: {path.name} is not a list of whole issuers") from None
    issuers = {entry["name"]: _issuer(entry) for entry in entries}
    if len(issuers) != len(entries):
        raise SettingsError(f"YANXIU_PASSES_FILE: {path.name} names an issuer twice")
    for issuer in issuers.values():
        if "openid" not in issuer.scopes or not is_safe_url(issuer.issuer, development=development):
            raise SettingsError(f"YANXIU_PASSES_FILE: {issuer.name} needs an https address and the scope openid")
    return issuers


def _issuer(entry: Mapping[str, Any]) -> Issuer:
    return Issuer(
        entry["name"],
        entry["issuer"],
        entry["client_id"],
        entry["client_secret"],
        entry["title"]["zh"],
        entry["title"]["en"],
        tuple(entry["redirect_uris"]),
        tuple(entry["scopes"]),
    )


def is_safe_url(url: object, *, development: bool) -> bool:
    """Whether secrets may go there: https, or in development this machine itself."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        return False
    return parts.scheme == "https" or (
        development and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    )


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclasses.dataclass(frozen=True)
class Proof:
    """What the browser brought back, and what it must fit to."""

    code: str
    verifier: str
    nonce: str
    redirect_uri: str


class Issuers:
    """All issuers of this installation; what they publish is kept for an hour. Never called inside a transaction."""

    def __init__(
        self, issuers: Mapping[str, Issuer], *, development: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuers = dict(issuers)
        self._development = development
        self._clock = clock
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[float, Any]] = {}

    def __iter__(self) -> Any:
        return iter(self._issuers.values())

    def get(self, name: str) -> Issuer:
        """Raises InvalidInput("identity.pass_issuer_unknown")."""
        if name not in self._issuers:
            raise InvalidInput("identity.pass_issuer_unknown", "issuer")
        return self._issuers[name]

    def authorisation_url(self, issuer: Issuer, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes. Raises Unavailable("identity.pass_unavailable")."""
        endpoint = self._discovered(issuer)["authorization_endpoint"]
        query = {
            "response_type": "code",
            "client_id": issuer.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(issuer.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def redeem(self, issuer: Issuer, proof: Proof) -> str:
        """What the issuer calls whoever authorised us.

        Raises InvalidInput("identity.pass_refused") when the code or the token is not good, Unavailable
        ("identity.pass_unavailable") when the issuer does not answer.
        """
        endpoints = self._discovered(issuer)
        answer = self._post_code(endpoints, issuer, proof)
        claims = self._verified(issuer, answer.get("id_token"))
        if not _is_for_us(claims, issuer, proof.nonce, self._clock()):
            raise InvalidInput("identity.pass_refused", "code", "claims")
        return str(claims["sub"])

    def _post_code(self, endpoints: dict[str, Any], issuer: Issuer, proof: Proof) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": proof.code,
            "redirect_uri": proof.redirect_uri,
            "code_verifier": proof.verifier,
        }
        # Core §9: basic is the default; RFC 6749 §2.3.1: both parts form-encoded first.
        basic: tuple[str, str] | None = (quote(issuer.client_id, safe=""), quote(issuer.client_secret, safe=""))
        methods = endpoints.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" not in methods:
            body |= {"client_id": issuer.client_id, "client_secret": issuer.client_secret}
            basic = None
        return self._ask(endpoints["token_endpoint"], data=body, auth=basic)

    def _verified(self, issuer: Issuer, token: object) -> dict[str, Any]:
        """The claims of an ID token whose signature is the issuer's. Raises InvalidInput("identity.pass_refused")."""
        if not isinstance(token, str):
            raise InvalidInput("identity.pass_refused", "code", "no ID token")
        try:
            try:
                return dict(jwt.decode(token, self._keys(issuer), algorithms=ALGORITHMS).claims)
            except InvalidKeyIdError:
                # The issuer may have changed its keys within the hour.
                return dict(jwt.decode(token, self._keys(issuer, fresh=True), algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise InvalidInput("identity.pass_refused", "code", type(error).__name__) from None

    def _discovered(self, issuer: Issuer) -> dict[str, Any]:
        return self._cached(f"discovery {issuer.name}", CACHED_SECONDS, lambda: self._discover(issuer))

    def _discover(self, issuer: Issuer) -> dict[str, Any]:
        found = self._ask(f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
        addresses = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        safe = all(is_safe_url(address, development=self._development) for address in addresses)
        if found.get("issuer") != issuer.issuer or not safe:
            raise Unavailable("identity.pass_unavailable", "", "the discovery document is not the issuer's")
        return found

    def _keys(self, issuer: Issuer, *, fresh: bool = False) -> KeySet:
        def load() -> KeySet:
            return KeySet.import_key_set(self._ask(self._discovered(issuer)["jwks_uri"]))  # type: ignore[arg-type]

        return self._cached(f"keys {issuer.name}", REFRESH_PAUSE_SECONDS if fresh else CACHED_SECONDS, load)

    def _cached(self, name: str, seconds: float, load: Callable[[], Any]) -> Any:
        """What `load` gave within the last `seconds`."""
        with self._lock:
            loaded_at, value = self._cache.get(name, (float("-inf"), None))
        if time.monotonic() - loaded_at < seconds:
            return value
        value = load()
        with self._lock:
            self._cache[name] = (time.monotonic(), value)
        return value

    def _ask(self, url: str, data: dict[str, str] | None = None, auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """A JSON object. A refusal (4xx) of a code is InvalidInput; everything else that is no answer, Unavailable."""
        try:
            with requests.request(
                "GET" if data is None else "POST",
                url,
                data=data,
                auth=auth,
                headers={"Accept": "application/json"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                # A redirect would carry the code and the secret to an address nobody named.
                allow_redirects=False,
                stream=True,
            ) as answer:
                raw = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise Unavailable("identity.pass_unavailable", "", type(error).__name__) from None
        if data is not None and 400 <= answer.status_code < 500:
            raise InvalidInput("identity.pass_refused", "code", f"issuer answered {answer.status_code}")
        return _json_object(answer.status_code, raw)


def _json_object(status: int, raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw) if status == 200 and len(raw) <= LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable("identity.pass_unavailable", "", f"issuer answered {status}")
    return found


def _is_for_us(claims: Mapping[str, Any], issuer: Issuer, nonce: str, now: float) -> bool:
    """OpenID Connect Core §3.1.3.7: issuer, audience, authorised party, time, nonce, subject."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", issuer.client_id if len(audiences) == 1 else None)
    given = claims.get("nonce")
    return (
        claims.get("iss") == issuer.issuer
        and issuer.client_id in audiences
        and party == issuer.client_id
        and _is_timely(claims, now)
        and isinstance(given, str)
        and hmac.compare_digest(given.encode(), nonce.encode())
        and is_subject(claims.get("sub"))
    )


def _is_timely(claims: Mapping[str, Any], now: float) -> bool:
    times = [claims.get("exp"), claims.get("iat")]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in times):
        return False
    expires, issued = (float(each) for each in times)  # type: ignore[arg-type]
    return now < expires + CLOCK_SKEW_SECONDS and -CLOCK_SKEW_SECONDS <= now - issued <= OLDEST_TOKEN_SECONDS


class IssuersProvider(Provider[Issuers]):
    """The issuers of the settings' file, read when the service starts: a broken file stops it there."""

    def build(self, service_class: Any, environment: Environment) -> Issuers:
        settings = environment.settings
        issuers = (
            read_issuers(Path(settings.passes_file), development=settings.development) if settings.passes_file else {}
        )
        return Issuers(issuers, development=settings.development)
