"""The ports of messages against a provider that answers well, badly, late, or not at all."""

import dataclasses
import http.server
import json
import socket
import threading

import pytest

from services.shared import senders
from services.shared.errors import Unavailable
from services.shared.senders import Channel
from services.shared.settings import load_settings

MESSAGE = ("0191f2b4", "13800138000", "【研修】验证码 012345")


class Provider(http.server.ThreadingHTTPServer):
    """Answers each POST with `status`, and remembers it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.requests, self.silence = 202, [], threading.Event()
        self.silent = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/send"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((json.loads(body), dict(self.headers)))
        if self.server.silent:
            self.server.silence.wait(10)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url + "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def provider():
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.silence.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_message_is_handed_over_once_with_its_id_and_token(provider):
    senders.HttpProvider(provider.url, "secret", Channel.SMS).send(*MESSAGE)
    [(body, headers)] = provider.requests
    assert body == {"phone": "+8613800138000", "text": MESSAGE[2]}
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Idempotency-Key"] == MESSAGE[0]


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
def test_whatever_is_not_accepted_is_unavailable_and_never_follows_a_redirect(provider, status):
    provider.status = status
    with pytest.raises(Unavailable) as caught:
        senders.HttpProvider(provider.url, "secret", Channel.SMS).send(*MESSAGE)
    assert len(provider.requests) == 1
    assert MESSAGE[1] not in str(caught.value.args)


def test_a_silent_provider_ends_at_the_deadline(provider, monkeypatch):
    monkeypatch.setattr(senders, "READ_SECONDS", 0.2)
    provider.silent = True
    with pytest.raises(Unavailable, match="ReadTimeout"):
        senders.HttpProvider(provider.url, "secret", Channel.SMS).send(*MESSAGE)


def test_an_absent_provider_tells_neither_phone_nor_text():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(Unavailable) as caught:
        senders.HttpProvider(url, "secret", Channel.SMS).send(*MESSAGE)
    assert caught.value.detail == "ConnectionError"
    assert caught.value.__cause__ is None


def test_mail_has_a_subject_that_tells_nothing(provider):
    senders.HttpProvider(provider.url, "secret", Channel.EMAIL).send("0191f2b4", "z@example.com", "【研修】…")
    [(body, _)] = provider.requests
    assert body == {"to": "z@example.com", "subject": senders.SUBJECT, "text": "【研修】…"}


@pytest.mark.parametrize(
    ("channel", "provider_of"),
    [
        (Channel.SMS, {"sms_url": "https://sms.example/send", "sms_token": "x"}),
        (Channel.EMAIL, {"email_url": "https://mail.example/send", "email_token": "x"}),
    ],
)
def test_the_settings_choose_the_sender(channel, provider_of):
    embedded = load_settings({})
    kept = []
    senders.open_sender(embedded, channel, lambda *message: kept.append(message)).send(*MESSAGE)
    assert kept == [MESSAGE]
    with_provider = dataclasses.replace(embedded, **provider_of)
    assert isinstance(senders.open_sender(with_provider, channel, kept.append), senders.HttpProvider)
    production = dataclasses.replace(embedded, development=False)
    with pytest.raises(Unavailable, match=f"YANXIU_{channel}_URL"):
        senders.open_sender(production, channel, kept.append).send(*MESSAGE)
