"""Runs a service the way stock nameko does (`nameko run`)."""

import logging
import os

import eventlet

eventlet.monkey_patch()

from nameko.cli.run import run  # noqa: E402  (after monkey patching, as the nameko command does)


def serve(service: type) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # the nameko command's own default
    config = {"AMQP_URI": os.environ["AMQP_URI"], "HEARTBEAT": int(os.environ.get("HEARTBEAT", "60"))}
    run([service], config)
