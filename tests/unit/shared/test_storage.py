"""The storage port: one contract for the folder and for the S3-compatible store, and what each does alone.

The fake S3 server verifies signatures with its own reading of the specification (it parses what arrived), so a mistake
in our signer does not cancel itself out; one vector published with Signature Version 4 anchors both.
"""

import datetime as dt
import hashlib
import hmac
import http.server
import re
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from services.shared import object_storage, storage
from services.shared.audit_anchors import open_anchors
from services.shared.errors import NotFound, Unavailable
from services.shared.settings import SettingsError, load_settings

ACCESS_KEY, SECRET_KEY, REGION = "AKTEST", "se/cr+et", "cn-north-1"


class FakeS3(http.server.BaseHTTPRequestHandler):
    """A bucket in memory that answers 403 to every request whose signature does not fit what arrived."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Keep the test's output clean."""

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if self.server.failures:
            return self.answer(self.server.failures.pop(0))
        if not self.signature_fits(body):
            return self.answer(403)
        if not self.path.startswith("/documents"):
            return self.answer(404)
        return getattr(self, f"handle_{self.command.lower()}")(body)

    do_GET = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815  the names http.server calls

    def handle_put(self, body):
        if self.headers.get("If-None-Match") == "*" and self.path in self.server.objects:
            return self.answer(412)
        self.server.objects[self.path] = (body, self.headers["Content-Type"])
        return self.answer(200)

    def handle_get(self, _body):
        if self.path not in self.server.objects:
            return self.answer(404)
        return self.answer(200, self.server.objects[self.path][0])

    def handle_delete(self, _body):
        self.answer(204 if self.server.objects.pop(self.path, None) else 404)

    def handle_head(self, _body):
        self.answer(200)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signature_fits(self, body):
        pattern = r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/(\S+?)/s3/aws4_request, SignedHeaders=(\S+), Signature=(\w{64})"
        found = re.fullmatch(pattern, self.headers.get("Authorization", ""))
        if not found or found[1] != ACCESS_KEY or found[3] != REGION:
            return False
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return False
        day, names = found[2], found[4].split(";")
        sent_at = dt.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        if abs(dt.datetime.now(dt.UTC) - sent_at) > dt.timedelta(minutes=15) or "host" not in names:
            return False
        path, _, query = self.path.partition("?")
        lines = [self.command, path, query, *(f"{name}:{self.headers[name].strip()}" for name in names), "", found[4]]
        request = "\n".join([*lines, self.headers["x-amz-content-sha256"]])
        scope = f"{day}/{REGION}/s3/aws4_request"
        text = (
            f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        )
        key = ("AWS4" + SECRET_KEY).encode()
        for part in (day, REGION, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        return hmac.new(key, text.encode(), "sha256").hexdigest() == found[5]


@pytest.fixture
def s3_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeS3)
    server.objects, server.failures, server.requests = {}, [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def s3_url(server, access_key=ACCESS_KEY, secret_key=SECRET_KEY, bucket="documents"):
    endpoint = quote(f"http://127.0.0.1:{server.server_port}", safe="")
    keys = f"{quote(access_key, safe='')}:{quote(secret_key, safe='')}"
    return f"s3://{keys}@{bucket}?endpoint={endpoint}&region={REGION}"


def open_with(folder, url=""):
    return storage.open_storage(load_settings({"YANXIU_DATA_DIR": str(folder), "YANXIU_STORAGE_URL": url}))


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path, s3_server):
    return open_with(tmp_path, s3_url(s3_server) if request.param == "s3" else "")


@pytest.fixture
def s3(tmp_path, s3_server, monkeypatch):
    monkeypatch.setattr(object_storage, "_PAUSE_SECONDS", 0.0)
    return open_with(tmp_path, s3_url(s3_server))


def content_of(store, key):
    return b"".join(store.read(key))


def test_what_was_put_comes_back_and_is_described(store):
    content = bytes(range(256)) * 1000
    file = store.put("certificates", content, "application/pdf")
    assert content_of(store, file.key) == content
    assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), 256_000)


def test_an_empty_file_is_a_file(store):
    assert content_of(store, store.put("exports", b"", "text/csv").key) == b""


def test_keys_are_opaque_and_the_same_content_gets_another_one(store):
    one, other = (store.put("certificates", b"same", "application/pdf").key for _ in range(2))
    assert one != other
    assert re.fullmatch(r"certificates/[0-9a-f]{2}/[0-9a-f]{30}", one)


def test_a_deleted_file_is_gone_and_deleting_again_is_no_error(store):
    key = store.put("certificates", b"x", "application/pdf").key
    store.delete(key)
    store.delete(key)
    with pytest.raises(NotFound) as refused:
        store.read(key)
    assert refused.value.code == "shared.file_not_found"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../secret",
        "certificates/../../etc/passwd",
        "certificates/ab/" + "0" * 29,
        "/etc/passwd",
        "a/ab/" + "g" * 30,
    ],
)
def test_nothing_but_a_key_is_looked_up(store, key):
    with pytest.raises(NotFound):
        store.read(key)
    with pytest.raises(NotFound):
        store.delete(key)


@pytest.mark.parametrize("area", ["", "../x", "Upper", "a" * 21, "a/b"])
def test_an_area_is_one_plain_word(store, area):
    with pytest.raises(ValueError, match="lower-case word"):
        store.put(area, b"x", "text/plain")


def test_the_check_passes_where_the_store_works(store):
    store.check()


def test_the_folder_holds_whole_files_only_and_nobody_else_may_read_them(tmp_path, monkeypatch):
    store = open_with(tmp_path)
    file = store.put("certificates", b"private", "application/pdf")
    assert (tmp_path / "files" / file.key).stat().st_mode & 0o077 == 0

    def lose_power(_descriptor):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(storage.os, "fsync", lose_power)
    with pytest.raises(Unavailable) as refused:
        store.put("certificates", b"lost", "application/pdf")
    assert refused.value.code == "shared.storage_unavailable"
    assert [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()] == [Path(file.key).name]


def test_a_folder_that_cannot_be_made_fails_the_check(tmp_path):
    (tmp_path / "files").write_text("a file is in the way", encoding="ascii")
    store = open_with(tmp_path)
    with pytest.raises(Unavailable):
        store.check()
    with pytest.raises(Unavailable):
        store.put("certificates", b"x", "application/pdf")


def test_the_media_type_reaches_the_bucket(s3, s3_server):
    file = s3.put("certificates", b"%PDF", "application/pdf")
    assert s3_server.objects[f"/documents/{file.key}"] == (b"%PDF", "application/pdf")


@pytest.mark.parametrize("wrong", [{"secret_key": "guess"}, {"access_key": "other"}])
def test_the_fake_server_refuses_wrong_keys_and_a_refusal_is_not_repeated(tmp_path, s3_server, wrong):
    store = open_with(tmp_path, s3_url(s3_server, **wrong))
    with pytest.raises(Unavailable) as refused:
        store.put("certificates", b"x", "application/pdf")
    assert refused.value.detail == "status 403"
    assert len(s3_server.requests) == 1
    assert not s3_server.objects


def test_an_altered_request_does_not_pass_the_fake_server(s3, s3_server, monkeypatch):
    honest = object_storage.sign
    monkeypatch.setattr(object_storage, "sign", lambda method, *a, **k: honest("GET", *a, **k))
    with pytest.raises(Unavailable):
        s3.put("certificates", b"x", "application/pdf")
    assert not s3_server.objects


def test_a_missing_bucket_fails_the_check(tmp_path, s3_server):
    with pytest.raises(Unavailable):
        open_with(tmp_path, s3_url(s3_server, bucket="other")).check()


def test_server_errors_are_tried_again_a_few_times(s3, s3_server):
    s3_server.failures = [503, 500]
    file = s3.put("certificates", b"x", "application/pdf")
    assert content_of(s3, file.key) == b"x"
    s3_server.failures = [503] * object_storage.ATTEMPTS
    with pytest.raises(Unavailable) as refused:
        s3.put("certificates", b"x", "application/pdf")
    assert refused.value.detail == "status 503"
    assert not s3_server.failures


def test_a_redirect_is_not_followed(s3, s3_server):
    s3_server.failures = [307]
    with pytest.raises(Unavailable):
        s3.put("certificates", b"x", "application/pdf")
    assert len(s3_server.requests) == 1


def test_a_store_that_is_gone_is_unavailable(tmp_path, s3_server, monkeypatch):
    monkeypatch.setattr(object_storage, "_PAUSE_SECONDS", 0.0)
    url = s3_url(s3_server)
    s3_server.shutdown()
    s3_server.server_close()
    with pytest.raises(Unavailable):
        open_with(tmp_path, url).check()


def test_the_signer_reproduces_the_published_example():
    # "GET Object" of the Signature Version 4 examples for S3 (bucket examplebucket, 2013-05-24).
    headers = object_storage.sign(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {"Range": "bytes=0-9"},
        hashlib.sha256(b"").hexdigest(),
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region="us-east-1",
        now=dt.datetime(2013, 5, 24, tzinfo=dt.UTC),
    )
    expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert headers["authorization"].endswith(
        f"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature={expected}"
    )


@pytest.mark.parametrize(
    "url", ["http://x", "s3://bucket?endpoint=http://x", "s3://a:b@bucket", "s3://a@bucket?endpoint=http://x"]
)
def test_an_address_that_is_none_stops_the_start(tmp_path, url):
    with pytest.raises(SettingsError):
        open_with(tmp_path, url)


# --- heads of the audit chains -------------------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "s3"])
def anchors(request, tmp_path, s3_server):
    url = s3_url(s3_server) if request.param == "s3" else str(tmp_path / "elsewhere")
    return open_anchors(load_settings({"YANXIU_DATA_DIR": str(tmp_path), "YANXIU_ANCHOR_URL": url}))


def test_an_anchor_is_written_once(anchors):
    assert anchors.find("org", 1) is None
    assert anchors.put_once("org", 1, b"first")
    assert not anchors.put_once("org", 1, b"second")
    assert anchors.find("org", 1) == b"first"
    assert anchors.find("identity", 1) is None


def test_the_bucket_itself_refuses_a_second_writer(tmp_path, s3_server, monkeypatch):
    address = {"YANXIU_DATA_DIR": str(tmp_path), "YANXIU_ANCHOR_URL": s3_url(s3_server)}
    anchors = open_anchors(load_settings(address))
    anchors.put_once("org", 1, b"first")
    monkeypatch.setattr(type(anchors), "find", lambda *_arguments: None)
    with pytest.raises(Unavailable):
        anchors.put_once("org", 1, b"second")
    assert [content for content, _ in s3_server.objects.values()] == [b"first"]


@pytest.mark.parametrize("url", ["ftp://host/x", "relative/folder", "s3://bucket"])
def test_an_anchor_address_that_is_none_stops_the_start(tmp_path, url):
    with pytest.raises(SettingsError):
        open_anchors(load_settings({"YANXIU_DATA_DIR": str(tmp_path), "YANXIU_ANCHOR_URL": url}))
