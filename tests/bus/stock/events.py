"""Stock nameko: an event handler that can be slow, blocking or failing, as the event says."""

import os

import eventlet
from eventlet import patcher
from nameko.events import event_handler
from noting import SERVICE, note
from serving import serve

blocking = patcher.original("time")


class Events:
    name = SERVICE

    @event_handler(SERVICE + "_source", "done", requeue_on_error=bool(os.environ.get("REQUEUE")))
    def on_done(self, event):
        note("begun", event["id"])
        eventlet.sleep(event.get("seconds", 0))
        blocking.sleep(event.get("blocked_seconds", 0))  # a C library that holds the hub
        if event.get("fails"):
            raise RuntimeError("the handler fails")
        note("done", event["id"])


if __name__ == "__main__":
    serve(Events)
