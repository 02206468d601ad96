"""Contract of the recorder: each test has event types of its own."""

import os

from marshmallow import INCLUDE, Schema

NAME = os.environ["SERVICE"]
DONE = f"bustest.done_{NAME}"
COUNTED = f"bustest.counted_{NAME}"


class AnyPayload(Schema):
    class Meta:
        unknown = INCLUDE


EVENTS = {DONE: AnyPayload, COUNTED: AnyPayload}
