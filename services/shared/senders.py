"""Ports for text messages and e-mail: an HTTP provider each, or the mailbox of a development installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import requests

from services.shared.channels import Channel
from services.shared.errors import Unavailable

if TYPE_CHECKING:
    from services.shared.settings import Settings

# A person waits for the answer: connecting, then reading.
CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0

OK_FROM, OK_BELOW = 200, 300

# The same for all mail: a subject is read on locked screens, and tells only from whom it comes.
SUBJECT: Final = "【研修】账号通知 · Yanxiu: about your account"


class Sender(Protocol):
    def send(self, message_id: str, to: str, text: str) -> None:
        """Hand one message over. Raises Unavailable when the provider did not take it.

        Repeating a call with the same `message_id` may not reach the person twice: it is given to the provider as the
        request's idempotency key.
        """


class DevelopmentMailbox:
    """Keeps messages where a developer can read them. `keep` stores one (message id, phone or address, text)."""

    def __init__(self, keep: Callable[[str, str, str], None]) -> None:
        self._keep = keep

    def send(self, message_id: str, to: str, text: str) -> None:
        self._keep(message_id, to, text)


class HttpProvider:
    """A provider with a JSON interface: POST, a bearer token, any 2xx means accepted."""

    def __init__(self, url: str, token: str, channel: Channel) -> None:
        self._url, self._token, self._channel = url, token, channel

    def send(self, message_id: str, to: str, text: str) -> None:
        try:
            answer = requests.post(
                self._url,
                json=_body(self._channel, to, text),
                headers={"Authorization": f"Bearer {self._token}", "Idempotency-Key": message_id},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                # A redirect would carry the phone number to an address nobody configured.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The exception's text may hold the request; only its type may reach logs and callers.
            raise Unavailable("shared.unavailable", "", type(error).__name__) from None
        if not OK_FROM <= answer.status_code < OK_BELOW:
            raise Unavailable("shared.unavailable", "", f"provider answered {answer.status_code}")


def _body(channel: Channel, to: str, text: str) -> dict[str, Any]:
    if channel is Channel.SMS:
        return {"phone": f"+86{to}", "text": text}
    return {"to": to, "subject": SUBJECT, "text": text}


class NoProvider:
    """Stands in where no provider is configured; every message is refused."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message_id: str, to: str, text: str) -> None:
        raise Unavailable("shared.unavailable", "", f"no provider is configured (YANXIU_{self._channel}_URL)")


def open_sender(settings: Settings, channel: Channel, keep: Callable[[str, str, str], None]) -> Sender:
    """The sender that the settings name. Production without a provider refuses to send rather than to start."""
    url, token = {
        Channel.SMS: (settings.sms_url, settings.sms_token),
        Channel.EMAIL: (settings.email_url, settings.email_token),
    }[channel]
    if url:
        return HttpProvider(url, token, channel)
    if settings.development:
        return DevelopmentMailbox(keep)
    return NoProvider(channel)
