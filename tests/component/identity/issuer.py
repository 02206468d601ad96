"""An OpenID Connect issuer on the loopback that keeps all rules, and breaks the ones a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "yanxiu", "a secret with spaces & signs/+"
REDIRECT = "http://127.0.0.1:8080/pass-callback"


class Issuer:
    """`sign_in(url)` does what a person does at the issuer; the knobs below make it lie."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.codes, self.token_requests, self.discoveries, self.key_requests = {}, 0, 0, 0
        self.reset()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self):
        self.claims = {}  # replaced in the ID token; None removes one
        self.header = {}
        self.signing_key = None  # another key than the published one
        self.discovery = {}  # replaced in the discovery document
        self.answer = None  # (status, headers, body) of the token endpoint
        self.delay = 0.0

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def sign_in(self, authorisation_url, subject="wang-0001"):
        """The code and state that come back to the redirect address."""
        parts = urlsplit(authorisation_url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "sub": subject}
        return {"code": code, "state": asked["state"]}

    def _document(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **self.discovery,
        }

    def _token(self, form, authorization):
        expected = base64.b64encode(f"{CLIENT_ID}:{quoted(CLIENT_SECRET)}".encode()).decode()
        granted = self.codes.pop(form.get("code"), None)
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if granted is None or form.get("redirect_uri") != granted["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != granted["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(granted)}

    def id_token(self, granted):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": granted["sub"],
            "nonce": granted["nonce"],
            "iat": now,
            "exp": now + 300,
            # What an issuer says of phones and e-mails must never matter.
            "phone_number": "13800138000",
            "email": "someone@example.org",
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            parts = [
                base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, claims)
            ]
            return ".".join([*parts, ""])
        if header["alg"] == "HS256":
            return jwt.encode(header, claims, OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"])
        return jwt.encode(header, claims, self.signing_key or self.key, algorithms=["RS256"])

    def _handler(issuer):  # noqa: N805  the handler below has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                time.sleep(issuer.delay)
                if self.path == "/.well-known/openid-configuration":
                    issuer.discoveries += 1
                    self.answer(200, issuer._document())
                elif self.path == "/keys":
                    issuer.key_requests += 1
                    self.answer(200, {"keys": [issuer.key.as_dict(private=False)]})
                else:
                    self.answer(404, {})

            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                issuer.token_requests += 1
                time.sleep(issuer.delay)
                if issuer.answer is not None:
                    status, headers, body = issuer.answer
                    self.answer(status, body, headers)
                    return
                one = {name: values[0] for name, values in form.items()}
                self.answer(*issuer._token(one, self.headers.get("Authorization")))

            def answer(self, status, body, headers=()):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        return Handler


def quoted(text):
    quoted_text = urlencode({"": text}).removeprefix("=").replace("+", "%20")
    assert unquote(quoted_text) == text
    return quoted_text
