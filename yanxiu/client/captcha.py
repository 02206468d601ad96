"""Solving a captcha as the browser's widget does: by searching."""

from __future__ import annotations

from typing import Any


def solve(challenge: dict[str, Any]) -> str:
    """The solution to send as `captcha`. Raises TimeoutError when the search takes longer than a person would wait."""
    import altcha

    wanted = altcha.Challenge.from_dict(challenge)
    found = altcha.solve_challenge(wanted)
    if found is None:
        raise TimeoutError("the captcha was not solved in time")
    solution: str = altcha.Payload(wanted, found).to_base64()
    return solution
