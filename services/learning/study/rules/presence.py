"""Whether somebody is there: prompts at moments that nobody can foresee, where a programme asks for them. Pure rules; no I/O.

From the moment at which a prompt had to be answered until it is, the session's clock stands still. Nothing else is lost.
"""

from __future__ import annotations

from services.learning.study.rules import multirange
from services.learning.study.rules.earning import ALL_DAY, LONGEST_SESSION_MS
from services.learning.study.rules.multirange import Ranges

# Our decision: enough to come back from the blackboard, too short to be asleep.
ANSWER_WITHIN_SECONDS = 120
_ANSWER_WITHIN_MS = ANSWER_WITHIN_SECONDS * 1000


def prompt_after_ms(every_seconds: int, chance: float) -> int:
    """How long after the last answer the next prompt comes: between half of the programme's interval and all of it.

    `chance` is random in [0, 1).
    """
    return int(every_seconds * 1000 * (1 + chance) / 2)


def begin_presence(prompt_ms: int | None) -> Ranges:
    """The time for which somebody who has just opened a session is believed to be there; all of it without prompts.

    A prompt that was due before the opening (`prompt_ms` < 0) has to be answered first.
    """
    return ALL_DAY if prompt_ms is None else multirange.normalise([(0, _until(prompt_ms))])


def confirm_presence(present: Ranges, at_ms: int, next_prompt_ms: int) -> Ranges:
    """The prompt was answered `at_ms`: in time nothing is lost, late only what lies between."""
    return multirange.union(present, ((at_ms, _until(next_prompt_ms)),))


def is_due(prompt_ms: int, at_ms: int) -> bool:
    """An answer before the prompt proves nothing: a script could give it in advance."""
    return at_ms >= prompt_ms


def _until(prompt_ms: int) -> int:
    return min(prompt_ms + _ANSWER_WITHIN_MS, LONGEST_SESSION_MS)
