"""A round trip over bare kombu with direct reply-to: transient messages, no confirms, nothing around them.

`python -m yanxiu.bench.programs.raw` is the answering side.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import kombu

QUEUE = "bench.raw"
DIRECT_REPLY = "amq.rabbitmq.reply-to"
PREFETCH = 100
WAIT_SECONDS = 30.0
BODY = b"{}"


class RawAsker:
    """One connection that asks and waits for the answer."""

    def __init__(self, uri: str) -> None:
        self._connection = kombu.Connection(uri, connect_timeout=5)
        channel = self._connection.channel()
        # What is asked before the answering side is up waits for it.
        kombu.Queue(QUEUE, channel=channel, durable=True).queue_declare()
        self._producer = kombu.Producer(channel, auto_declare=False)
        self._answered = False
        consumer = kombu.Consumer(
            channel,
            queues=[kombu.Queue(DIRECT_REPLY, no_declare=True)],
            on_message=self._on_answer,
            auto_declare=False,
            no_ack=True,
        )
        consumer.consume()

    def _on_answer(self, message: Any) -> None:
        self._answered = message.body in (BODY, BODY.decode())  # py-amqp decodes what says that it is text

    def ask(self) -> None:
        self._answered = False
        self._producer.publish(
            BODY, exchange="", routing_key=QUEUE, delivery_mode=1, reply_to=DIRECT_REPLY, retry=False,
            content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip
        while not self._answered:
            self._connection.drain_events(timeout=WAIT_SECONDS)

    def close(self) -> None:
        self._connection.release()


def answer(uri: str) -> None:
    """Answer until the process is ended."""
    with kombu.Connection(uri) as connection, connection.channel() as channel:
        kombu.Queue(QUEUE, channel=channel, durable=True).queue_declare()
        channel.basic_qos(0, PREFETCH, False)
        producer = kombu.Producer(channel, auto_declare=False)

        def on_message(message: Any) -> None:
            producer.publish(
                message.body, exchange="", routing_key=message.properties["reply_to"], delivery_mode=1, retry=False,
                content_type="application/json", content_encoding="utf-8",
            )  # fmt: skip

        queue = kombu.Queue(QUEUE, no_declare=True)
        consumer = kombu.Consumer(channel, queues=[queue], on_message=on_message, auto_declare=False, no_ack=True)
        consumer.consume()
        while True:
            connection.drain_events()


if __name__ == "__main__":
    from yanxiu.local import life_line

    life_line.watch()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    answer(os.environ["AMQP_URI"])
