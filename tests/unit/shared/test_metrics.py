"""How late events are, and how old what a consumer last applied."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prometheus_client import REGISTRY

from services.shared import metrics


def value(name: str, consumer: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"consumer": consumer})


def test_the_age_is_that_of_the_newest_event_and_grows_with_the_clock(fixed_clock: Any) -> None:
    consumer = "probe.on_aged"
    now = fixed_clock.instant
    metrics.observe_applied(consumer, now - dt.timedelta(seconds=5))
    metrics.observe_applied(consumer, now - dt.timedelta(seconds=60))  # late, and no reason to look older
    assert value("yanxiu_projection_age_seconds", consumer) == 5
    fixed_clock.instant += dt.timedelta(seconds=10)
    assert value("yanxiu_projection_age_seconds", consumer) == 15
    metrics.observe_applied(consumer, fixed_clock.instant)
    assert value("yanxiu_projection_age_seconds", consumer) == 0


def test_every_applied_event_tells_its_delay(fixed_clock: Any) -> None:
    consumer = "probe.on_delayed"
    for seconds in (2, 4):
        metrics.observe_applied(consumer, fixed_clock.instant - dt.timedelta(seconds=seconds))
    metrics.observe_applied(consumer, fixed_clock.instant + dt.timedelta(seconds=1))  # another machine's clock is ahead
    assert value("yanxiu_event_delay_seconds_count", consumer) == 3
    assert value("yanxiu_event_delay_seconds_sum", consumer) == 6
