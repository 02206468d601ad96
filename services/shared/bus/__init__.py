"""The bus: the one place that knows nameko and kombu. It gives a service four things and nothing else: a query, a
command, an event handler and a batch consumer (and jobs: by the clock, or while work waits). Importing this package imports neither library;
`bus.run` starts services, in the nameko containers of `bus.hosting`.
"""

from services.shared.bus.calls import (
    Call,
    Event,
    Message,
    NotYet,
    batch_consumer,
    command,
    continuous,
    event_handler,
    periodic,
    query,
)
from services.shared.bus.offload import offload
from services.shared.bus.providers import (
    BusProvider,
    DatabaseProvider,
    KeyRingProvider,
    PublisherProvider,
    SettingsProvider,
)

__all__ = [
    "BusProvider",
    "Call",
    "DatabaseProvider",
    "Event",
    "KeyRingProvider",
    "Message",
    "NotYet",
    "PublisherProvider",
    "SettingsProvider",
    "batch_consumer",
    "command",
    "continuous",
    "event_handler",
    "offload",
    "periodic",
    "query",
]
