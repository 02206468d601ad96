"""Stock nameko: publish one event, and say so when the publisher believes it is safe."""

import os
import sys

from nameko.amqp.publish import Publisher
from nameko.standalone.events import event_dispatcher, get_event_exchange
from noting import SERVICE, note

CONFIG = {"AMQP_URI": os.environ["AMQP_URI"]}


def dispatch_event(item):
    event_dispatcher(CONFIG)(SERVICE, "done", {"id": item})
    note("dispatched", item)


def publish_through_a_freeze(item):
    """Connect first, so that only the publish itself meets the frozen broker."""
    exchange = get_event_exchange(SERVICE, CONFIG)
    publisher = Publisher(CONFIG["AMQP_URI"], exchange=exchange, declare=[exchange])
    publisher.publish({"id": "first"}, routing_key="done")
    note("connected", item)
    sys.stdin.readline()
    publisher.publish({"id": item}, routing_key="done")
    note("published", item)


def publish_with_expiration(item):
    publisher = Publisher(CONFIG["AMQP_URI"], expiration=500)  # "in milliseconds", says nameko's documentation
    publisher.publish({"id": item}, routing_key=SERVICE)
    note("published", item)


if __name__ == "__main__":
    {
        "dispatch": dispatch_event,
        "freeze": publish_through_a_freeze,
        "expiration": publish_with_expiration,
    }[sys.argv[1]]("a")
