"""Rules of notices: texts, what is told, how often, how long it is tried."""

import datetime as dt
import string

import pytest

from services.identity.contract.notices import NoticeKind
from services.identity.notices import rules

NOW = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
DETAILS = {
    "school": "实验小学",
    "link": "https://x/y",
    "reason_zh": "照片不清晰",
    "reason_en": "the photo cannot be read",
    "provider_zh": "智教中国",
    "provider_en": "National pass",
    "year": "2023",
}


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_speaks_both_languages_with_the_same_gaps(kind):
    chinese, english = rules.TEXTS[kind]
    gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (chinese, english)]
    assert gaps[0] == gaps[1]
    details = dict.fromkeys(gaps[0], "x")
    assert rules.text_of(kind, "zh", details).startswith("【研修】")
    assert rules.text_of(kind, "en", details).startswith("[Yanxiu] ")
    assert "{" not in rules.text_of(kind, "en", details)


def test_a_reason_is_told_in_the_language_of_the_message():
    assert "照片不清晰" in rules.text_of(NoticeKind.PHONE_TICKET_REJECTED, "zh", DETAILS)
    assert "cannot be read" in rules.text_of(NoticeKind.PHONE_TICKET_REJECTED, "en", DETAILS)


def test_a_name_with_braces_is_only_a_name():
    assert "{link}" in rules.text_of(NoticeKind.MEMBERSHIP_VERIFIED, "zh", {"school": "{link}小学"})


@pytest.mark.parametrize(
    ("before", "state", "told"),
    [
        ("PENDING", "VERIFIED", NoticeKind.MEMBERSHIP_VERIFIED),
        ("", "VERIFIED", NoticeKind.MEMBERSHIP_VERIFIED),
        ("PENDING", "REJECTED", NoticeKind.MEMBERSHIP_REJECTED),
        ("VERIFIED", "RELEASED", NoticeKind.MEMBERSHIP_RELEASED),
        ("VERIFIED", "VERIFIED", None),
        ("REJECTED", "REJECTED", None),
        ("", "PENDING", None),
        ("REJECTED", "PENDING", None),
    ],
)
def test_decisions_are_told_and_moves_are_not(before, state, told):
    assert rules.decision_of(before, state) is told


def test_only_decisions_are_capped():
    assert not rules.is_capped(NoticeKind.MEMBERSHIP_VERIFIED, 4)
    assert rules.is_capped(NoticeKind.MEMBERSHIP_VERIFIED, 5)
    for kind in set(NoticeKind) - rules.DECISIONS:
        assert not rules.is_capped(kind, 1000)


def test_old_news_is_no_news():
    assert rules.is_fresh(NOW - dt.timedelta(days=2) + dt.timedelta(seconds=1), NOW)
    assert not rules.is_fresh(NOW - dt.timedelta(days=2), NOW)


def test_tries_grow_apart_and_end():
    pauses = [(rules.next_try(attempt, NOW) - NOW).total_seconds() / 60 for attempt in range(1, 10)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert rules.next_try(10, NOW) is None


def test_what_can_wait_is_told_by_day():
    for told_at, due_at in (
        ("2024-02-01T00:00:30+08:00", "2024-02-01T09:00:00+08:00"),
        ("2024-02-01T09:00:00+08:00", "2024-02-01T09:00:00+08:00"),
        ("2024-02-01T19:59:59+08:00", "2024-02-01T19:59:59+08:00"),
        ("2024-02-01T20:00:00+08:00", "2024-02-02T09:00:00+08:00"),
    ):
        assert rules.by_day(dt.datetime.fromisoformat(told_at)) == dt.datetime.fromisoformat(due_at)


def test_a_year_that_was_frozen_again_tells_of_the_correction():
    assert rules.year_kind(1, met=True) is NoticeKind.YEAR_MET
    assert rules.year_kind(1, met=False) is NoticeKind.YEAR_NOT_MET
    assert rules.year_kind(2, met=True) is NoticeKind.YEAR_CORRECTED
