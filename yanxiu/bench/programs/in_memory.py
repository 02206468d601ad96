"""Round trips over the in-memory bus, where asker, transport and answerer are one process, as in the embedded mode.

`python -m yanxiu.bench.programs.in_memory LISTENING_FD raw|bus…` answers GET /raw?count=…&concurrency=… (the bare
transport) and GET /bus?… (a call of our bus) with the seconds that each took.
"""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import Callable
from typing import Any

from yanxiu.local.stack import serve

# isort: split

import eventlet
from flask import Flask, request

from services.shared.bus.link import Link
from services.shared.bus.run import ServiceRunner
from services.shared.keys import open_keyring
from services.shared.settings import Settings, load_settings
from services.shared.startup import configure_process
from yanxiu.bench.cases import Asker, ask_often
from yanxiu.bench.programs import echo
from yanxiu.local.launcher import embedded_settings

QUEUE = "bench.raw"
BODY = b"{}"
WAIT_SECONDS = 30.0


class MemoryAsker:
    """One connection to the transport that asks and waits."""

    def __init__(self, uri: str) -> None:
        self._link = Link(uri, "bench")
        self._reply_to = f"reply.{uuid.uuid4().hex}"
        self._link.channel.queue_declare(self._reply_to)
        self._link.consume([self._reply_to], self._on_answer, no_ack=True)
        self._answered = False

    def _on_answer(self, message: Any) -> None:
        self._answered = True

    def ask(self) -> None:
        self._answered = False
        self._link.publish("", QUEUE, BODY, persistent=False, reply_to=self._reply_to)
        while not self._answered:
            assert self._link.drain(WAIT_SECONDS), "no answer"

    def close(self) -> None:
        self._link.close()


def answer(uri: str) -> None:
    link = Link(uri, "bench-answer")
    link.channel.queue_declare(QUEUE)

    def on_message(message: Any) -> None:
        link.publish("", message.properties["reply_to"], BODY, persistent=False)

    link.consume([QUEUE], on_message, no_ack=True)
    while True:
        link.drain(WAIT_SECONDS)


def application(connect: dict[str, Callable[[], Asker]]) -> Flask:
    app = Flask(__name__)
    askers: dict[str, list[Asker]] = {kind: [] for kind in connect}

    @app.get("/<kind>")
    def run(kind: str) -> list[float]:
        count, concurrency = int(request.args["count"]), int(request.args["concurrency"])
        while len(askers[kind]) < concurrency:
            askers[kind].append(connect[kind]())
        each = max(1, count // concurrency)
        runs = [eventlet.spawn(ask_often, asker, each) for asker in askers[kind][:concurrency]]
        return [seconds for run in runs for seconds in run.wait()]

    return app


def main(listening: int, kinds: list[str]) -> None:
    settings: Settings = embedded_settings(load_settings())
    configure_process(settings, "bench")
    connect: dict[str, Callable[[], Asker]] = {}
    if "raw" in kinds:
        eventlet.spawn(answer, settings.amqp_uri)
        connect["raw"] = lambda: MemoryAsker(settings.amqp_uri)
    if "bus" in kinds:
        ServiceRunner([echo.EchoService], settings, open_keyring(settings), echo.plan()).start()
        connect["bus"] = lambda: echo.connect(settings)
    serve(socket.socket(fileno=listening), application(connect))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
