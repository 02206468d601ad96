"""Starts what the environment names, and tells the organisation's story over HTTP; run by `test_organisation.py`."""

from __future__ import annotations

import sys

from services.shared.settings import load_settings
from tests.journey.organisation import Organisation, operator_at_desk
from yanxiu.journey import people
from yanxiu.local import launcher
from yanxiu.local.operator import SAMPLE_OPERATOR, operator

SECOND_OPERATOR = people.invent(0, 2)
PASSWORD = "Operator-story-2023"  # of an invented operator


def main() -> None:
    with launcher.running(load_settings(), "127.0.0.1", 0) as stack:
        with operator(stack.settings) as cli:
            cli.load_divisions()
            for person in (SAMPLE_OPERATOR, SECOND_OPERATOR):
                cli.appoint_national_operator(person)
        first, second = (
            operator_at_desk(stack.address, person.phone, PASSWORD) for person in (SAMPLE_OPERATOR, SECOND_OPERATOR)
        )
        Organisation(stack.address, first, second, series=77).tell()


if __name__ == "__main__":
    sys.exit(main())
