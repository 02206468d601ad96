"""The S3-compatible half of the storage port: plain requests signed with Signature Version 4, path-style addresses.

Limit: objects are sent in one PUT (documents of megabytes, not gigabytes).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import requests

from services.shared.errors import NotFound, Unavailable
from services.shared.storage import CHUNK, Content, StoredFile, checked_key, describe, new_key

CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 2.0, 10.0
ATTEMPTS = 3  # every request here may be repeated: keys are new, content is fixed
_PAUSE_SECONDS = 0.2
_ALGORITHM = "AWS4-HMAC-SHA256"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    payload_sha256: str,
    *,
    access_key: str,
    secret_key: str,
    region: str,
    now: dt.datetime,
) -> dict[str, str]:
    """The headers to send: the given ones and host, date, digest and authorisation (AWS Signature Version 4, s3)."""
    parts = urlsplit(url)
    stamp = now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    signed |= {"host": parts.netloc, "x-amz-date": stamp, "x-amz-content-sha256": payload_sha256}
    names = ";".join(sorted(signed))
    canonical_headers = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = "\n".join((method, parts.path or "/", parts.query, canonical_headers, names, payload_sha256))
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    authorization = f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": authorization}


class S3Storage:
    """One bucket of an S3-compatible store."""

    def __init__(self, *, endpoint: str, bucket: str, region: str, access_key: str, secret_key: str) -> None:
        self._address = f"{endpoint.rstrip('/')}/{quote(bucket)}"
        self._region, self._access_key, self._secret_key = region, access_key, secret_key
        self._client = requests.Session()
        # A ~/.netrc entry would replace our signature, and a proxy variable would send documents through a stranger.
        self._client.trust_env = False

    def put(self, area: str, content: bytes, media_type: str) -> StoredFile:
        key = new_key(area)
        with self._send("PUT", f"/{key}", content, {"content-type": media_type}):
            return describe(key, content)

    def read(self, key: str) -> Content:
        response = self._send("GET", f"/{checked_key(key)}", stream=True)
        return Content(response.iter_content(CHUNK), response.close)

    def delete(self, key: str) -> None:
        path = f"/{checked_key(key)}"
        with contextlib.suppress(NotFound):
            self._send("DELETE", path).close()

    def check(self) -> None:
        try:
            self._send("HEAD", "").close()
        except NotFound:
            raise Unavailable("shared.storage_unavailable", "", "the bucket does not exist") from None

    def _send(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        stream: bool = False,
    ) -> requests.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._send_once(method, path, content, headers or {}, stream=stream)
            except requests.RequestException as error:
                problem = type(error).__name__
            else:
                if response.status_code < requests.codes.multiple_choices:
                    return response
                response.close()
                if response.status_code == requests.codes.not_found:
                    raise NotFound("shared.file_not_found")
                problem = f"status {response.status_code}"
                if response.status_code < requests.codes.internal_server_error:
                    break  # a refusal stays one: wrong keys, wrong bucket
            if attempt < ATTEMPTS:
                time.sleep(_PAUSE_SECONDS * attempt)
        raise Unavailable("shared.storage_unavailable", "", problem)

    def _send_once(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], *, stream: bool
    ) -> requests.Response:
        url = self._address + path
        signed = sign(
            method,
            url,
            headers,
            hashlib.sha256(content).hexdigest(),
            access_key=self._access_key,
            secret_key=self._secret_key,
            region=self._region,
            # The store compares this with its own clock, so it is the real one, whatever the business clock says.
            now=dt.datetime.now(dt.UTC),
        )
        return self._client.request(
            method,
            url,
            data=content or None,
            headers=signed,
            timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
            stream=stream,
            allow_redirects=False,  # a redirect would carry the signature to another host
        )


class S3Anchors(S3Storage):
    """Small numbered files of a bucket, each written once (`audit_anchors`); object lock makes that true for everybody."""

    def put_once(self, service: str, number: int, content: bytes) -> bool:
        if self.find(service, number) is not None:
            return False
        headers = {"content-type": "application/json", "if-none-match": "*"}
        self._send("PUT", _anchor_path(service, number), content, headers).close()
        return True

    def find(self, service: str, number: int) -> bytes | None:
        try:
            with self._send("GET", _anchor_path(service, number)) as response:
                return response.content
        except NotFound:
            return None


def _anchor_path(service: str, number: int) -> str:
    return f"/anchors/{quote(service)}/{number:012d}.json"
