"""Stock nameko's standalone proxy, as a gateway would use it."""

import os
import sys

from nameko.standalone.rpc import ServiceRpcProxy
from noting import SERVICE, note

CONFIG = {"AMQP_URI": os.environ["AMQP_URI"]}


def ask(item, seconds, timeout=None):
    with ServiceRpcProxy(SERVICE, CONFIG, timeout=timeout) as service:
        ask_once(service, item, seconds)


def keep_late_replies():
    """Give up on five calls; read their late replies while waiting for a sixth."""
    proxy = ServiceRpcProxy(SERVICE, CONFIG, timeout=0.1)
    with proxy as service:
        for number in range(5):
            ask_once(service, f"late{number}", 0.5)
        consumer = proxy._reply_listener.queue_consumer
        consumer.timeout = 10
        ask_once(service, "sixth", 1.0)
        note("kept", len(consumer.replies))


def survive_an_outage():
    """One call during a short outage, one after it, on the same proxy."""
    with ServiceRpcProxy(SERVICE, CONFIG, timeout=5) as service:
        ask_once(service, "before", 0)
        ask_once(service, "during", 1.0)
        sys.stdin.readline()
        ask_once(service, "after", 0)


def ask_once(service, item, seconds):
    try:
        service.work(item, seconds)
        note("answered", item)
    except Exception as error:  # noqa: BLE001  whatever it is, the test reads its name
        note(type(error).__name__, item)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "ask":
        ask(rest[0], float(rest[1]), float(rest[2]) if len(rest) > 2 else None)
    elif mode == "late":
        keep_late_replies()
    else:
        survive_an_outage()
