"""Port for text messages: an HTTP provider, or the mailbox of a development installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import requests

from services.shared.errors import Unavailable

if TYPE_CHECKING:
    from services.shared.settings import Settings

# A person waits for the answer: connecting, then reading.
CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0

OK_FROM, OK_BELOW = 200, 300


class SmsSender(Protocol):
    def send(self, message_id: str, phone: str, text: str) -> None:
        """Hand one message over. Raises Unavailable when the provider did not take it.

        Repeating a call with the same `message_id` may not reach the phone twice: it is given to the provider as the
        request's idempotency key.
        """


class DevelopmentMailbox:
    """Keeps messages where a developer can read them. `keep` stores one (message id, phone, text)."""

    def __init__(self, keep: Callable[[str, str, str], None]) -> None:
        self._keep = keep

    def send(self, message_id: str, phone: str, text: str) -> None:
        self._keep(message_id, phone, text)


class HttpSmsProvider:
    """A provider with a JSON interface: POST {phone, text}, a bearer token, any 2xx means accepted."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def send(self, message_id: str, phone: str, text: str) -> None:
        try:
            answer = requests.post(
                self._url,
                json={"phone": f"+86{phone}", "text": text},
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


def open_sender(settings: Settings, keep: Callable[[str, str, str], None]) -> SmsSender:
    """The sender that the settings name. Production without a provider refuses to send rather than to start."""
    if settings.sms_url:
        return HttpSmsProvider(settings.sms_url, settings.sms_token)
    if settings.development:
        return DevelopmentMailbox(keep)
    return NoProvider()


class NoProvider:
    """Stands in where no provider is configured; every message is refused."""

    def send(self, message_id: str, phone: str, text: str) -> None:
        raise Unavailable("shared.unavailable", "", "no provider is configured (YANXIU_SMS_URL)")
