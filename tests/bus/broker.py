"""A real RabbitMQ as the tests see it: raw publishing, queue depths, and a virtual host of their own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import kombu
from amqp.exceptions import NotFound

WAIT = 45.0  # seconds; generous, because a loaded machine must not fail a test


def wait_until(condition: Any, what: str, timeout: float = WAIT) -> Any:
    """The first true value of `condition()`; fails with `what` when none comes in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout:.0f} s: {what}")


def with_vhost(uri: str, vhost: str) -> str:
    return urlunsplit(urlsplit(uri)._replace(path="/" + quote(vhost, safe="")))


def with_address(uri: str, host: str, port: int) -> str:
    """The same server, reached by another road (a fault link)."""
    parts = urlsplit(uri)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@{host}:{port}" if login else f"{host}:{port}"
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key not in ("host", "port")])
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def control(*words: str) -> bool:
    """Run `rabbitmqctl`; False where this machine does not administer the broker."""
    if not shutil.which("rabbitmqctl"):
        return False
    # A session of its own: the script starts others, and one that outlives its time-out keeps one of the few CLI ports.
    running = subprocess.Popen(
        ["rabbitmqctl", "-q", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return running.wait(timeout=60) == 0
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        raise


@contextlib.contextmanager
def private_vhost(uri: str) -> Iterator[tuple[str, str]]:
    """(uri, name) of a fresh virtual host, removed afterwards; (`uri`, "") where we may not create one."""
    vhost = f"yanxiu-test-{uuid.uuid4().hex[:8]}"
    if not make_vhost(uri, vhost):
        yield uri, ""
        return
    try:
        yield with_vhost(uri, vhost), vhost
    finally:
        control("delete_vhost", vhost)


def make_vhost(uri: str, vhost: str) -> bool:
    user = urlsplit(uri).username or "guest"
    return control("add_vhost", vhost) and control("set_permissions", "-p", vhost, user, ".*", ".*", ".*")


class Broker:
    """Everything a hostile neighbour can do to a queue, and what an operator can see of it."""

    def __init__(self, uri: str, vhost: str = "") -> None:
        self.uri = uri
        self.vhost = vhost

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        with kombu.Connection(self.uri, connect_timeout=10) as connection, connection.channel() as channel:
            yield channel

    def publish(
        self,
        body: Any,
        routing_key: str,
        exchange: str = "",
        content_type: str = "application/json",
        **properties: Any,
    ) -> None:
        """Publish raw: bytes and text go out as they are, anything else as JSON."""
        payload = body if isinstance(body, (bytes, str)) else json.dumps(body)
        with self.channel() as channel:
            message = channel.prepare_message(
                payload,
                content_type=content_type,
                content_encoding="utf-8",
                headers=properties.pop("headers", {}),
                properties={"delivery_mode": 2, **properties},
            )
            channel.basic_publish(message, exchange=exchange, routing_key=routing_key)

    def declare(self, queue: str, exchange: str = "", routing_key: str = "", **arguments: Any) -> None:
        with self.channel() as channel:
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments or None)
            if exchange:
                channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
                channel.queue_bind(queue, exchange, routing_key)

    def bind(self, queue: str, exchange: str, routing_key: str) -> None:
        """Bind to an exchange that is there already."""
        with self.channel() as channel:
            channel.queue_bind(queue, exchange, routing_key)

    def state(self, queue: str) -> tuple[int, int] | None:
        """(ready messages, consumers), or None for an unknown queue. Unacknowledged ones are not counted."""
        try:
            with self.channel() as channel:
                declared = channel.queue_declare(queue, passive=True)
                return declared.message_count, declared.consumer_count
        except NotFound:
            return None

    def depth(self, queue: str) -> int:
        found = self.state(queue)
        return found[0] if found else 0

    def remove(self, queue: str) -> None:
        with self.channel() as channel:
            channel.queue_delete(queue)

    def take(self, queue: str) -> Any:
        """Remove and return the first message, or None."""
        with self.channel() as channel:
            return channel.basic_get(queue, no_ack=True)

    def wait_for_consumer(self, queue: str, count: int = 1, timeout: float = WAIT) -> None:
        wait_until(lambda: (self.state(queue) or (0, 0))[1] >= count, f"{count} consumer(s) on {queue}", timeout)

    def wait_for_depth(self, queue: str, depth: int, timeout: float = WAIT) -> None:
        wait_until(lambda: self.depth(queue) == depth, f"{depth} message(s) in {queue}", timeout)

    def drop_connections(self) -> None:
        """Close every connection of the private virtual host from the broker's side."""
        assert control("close_all_connections", "-p", self.vhost, "test"), "needs rabbitmqctl"

    def wipe(self) -> None:
        """Lose everything: messages, queues, exchanges and bindings, as a replaced data directory would."""
        assert control("delete_vhost", self.vhost), "needs rabbitmqctl"
        assert make_vhost(self.uri, self.vhost)
