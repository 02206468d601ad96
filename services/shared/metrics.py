"""Prometheus metrics of the plumbing. Labels are names from code, never ids or text from requests."""

from __future__ import annotations

import datetime as dt

from prometheus_client import Counter, Gauge, Histogram

from services.shared import clock

calls = Histogram(
    "yanxiu_call_seconds",
    "Time to answer a query or command",
    ["service", "method", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
inbox_skips = Counter("yanxiu_inbox_skips", "Events that had been handled before", ["consumer"])
parked_total = Counter("yanxiu_parked", "Events put aside after a failure", ["consumer"])
outbox_sent = Counter("yanxiu_outbox_sent", "Events carried to the broker", ["service"])
outbox_oldest_seconds = Gauge("yanxiu_outbox_oldest_seconds", "Age of the oldest unsent event", ["service"])
expired_requests = Counter("yanxiu_expired_requests", "Requests dropped because nobody waits any more", ["service"])
refused_messages = Counter("yanxiu_refused_messages", "Messages refused to the dead-letter queue", ["queue", "why"])
batch_size = Histogram(
    "yanxiu_batch_size", "Messages per committed batch", ["consumer"], buckets=(1, 5, 20, 100, 500, 2000)
)
projection_age_seconds = Gauge(
    "yanxiu_projection_age_seconds",
    "Age of the newest event that a consumer has applied, by the business clock",
    ["consumer"],
)
event_delay_seconds = Histogram(
    "yanxiu_event_delay_seconds",
    "From an event's occurrence to its being applied, by the business clock",
    ["consumer"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
hub_lag_seconds = Gauge("yanxiu_hub_lag_seconds", "How late the event loop runs", ["process"])

audit_sealed = Counter("yanxiu_audit_sealed", "Rows of the audit trail that were sealed", ["service"])
audit_chain_intact = Gauge(
    "yanxiu_audit_chain_intact", "1 while the chain still holds the head that was last written down", ["service"]
)


def observe_call(service: str, method: str, outcome: str, seconds: float) -> None:
    calls.labels(service, method, outcome).observe(seconds)


_newest_applied: dict[str, dt.datetime] = {}


def observe_applied(consumer: str, occurred_at: dt.datetime) -> None:
    """An event was applied. Its delay shows a queue that grows; the age, taken at each scrape, one that stands still."""
    event_delay_seconds.labels(consumer).observe(max(0.0, (clock.now() - occurred_at).total_seconds()))
    if consumer not in _newest_applied:
        projection_age_seconds.labels(consumer).set_function(lambda: _age(consumer))
    _newest_applied[consumer] = max(occurred_at, _newest_applied.get(consumer, occurred_at))


def _age(consumer: str) -> float:
    return max(0.0, (clock.now() - _newest_applied[consumer]).total_seconds())
