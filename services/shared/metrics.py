"""Prometheus metrics of the plumbing. Labels are names from code, never ids or text from requests."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
hub_lag_seconds = Gauge("yanxiu_hub_lag_seconds", "How late the event loop runs", ["process"])


def observe_call(service: str, method: str, outcome: str, seconds: float) -> None:
    calls.labels(service, method, outcome).observe(seconds)
