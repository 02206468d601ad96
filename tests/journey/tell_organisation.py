"""Starts what the environment names, and tells the organisation's story over HTTP; run by `test_organisation.py`."""

from __future__ import annotations

import sys

from services.shared.settings import load_settings
from tests.journey.organisation import Organisation, operator_at_desk
from yanxiu.local import launcher
from yanxiu.local.operator import SAMPLE_OPERATOR, operator

PASSWORD = "Operator-story-2023"  # of an invented operator


def main() -> None:
    with launcher.running(load_settings(), "127.0.0.1", 0) as stack:
        with operator(stack.settings) as cli:
            cli.load_divisions()
            cli.appoint_national_operator(SAMPLE_OPERATOR)
        chief = operator_at_desk(stack.address, SAMPLE_OPERATOR.phone, PASSWORD)
        Organisation(stack.address, chief, series=77).tell()


if __name__ == "__main__":
    sys.exit(main())
