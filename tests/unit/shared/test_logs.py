"""The scrubber: what must never stand in a log line."""

from __future__ import annotations

import pytest

from services.shared import logs


@pytest.mark.parametrize(
    "text",
    ["13800138000", "id 11010519491231002X!", "call 13800138000, 440524188001010014", "身份证440524188001010014号"],
)
def test_numbers_of_persons_are_hidden_wherever_they_stand(text: str) -> None:
    shown = logs.scrub(None, "", {"event": text, "exception": text})
    assert "[hidden]" in shown["event"]
    for number in ("13800138000", "11010519491231002X", "440524188001010014"):
        assert number not in shown["event"]
        assert number not in shown["exception"]


@pytest.mark.parametrize("field", ["password", "access_token", "sms_code", "id_no", "phone", "name"])
def test_secret_fields_are_hidden_whatever_they_hold(field: str) -> None:
    assert logs.scrub(None, "", {field: "x"}) == {field: "[hidden]"}


def test_other_numbers_stay() -> None:
    event = {"event": "sent", "rows": 12, "at": "2023-01-10T10:00:00Z", "size": "123456789012"}
    assert logs.scrub(None, "", dict(event)) == event


def test_a_traceback_quotes_nothing_of_a_row() -> None:
    class UniqueViolation(Exception):
        sqlstate = "23505"

    name = "张雅琴"  # not in a quoted source line
    try:
        try:
            raise UniqueViolation(f"DETAIL: Key (name)=({name}) already exists.")
        except UniqueViolation as error:
            raise RuntimeError("could not park") from error
    except RuntimeError as error:
        told = logs.describe(error)
    assert name not in told
    assert "SQLSTATE 23505" in told
    assert "RuntimeError: could not park" in told
    assert "test_a_traceback_quotes_nothing_of_a_row" in told
