"""Pure rules of authority codes 权限码 (`domain.md` §3.8): how they look, how long they live, what may become of them; no I/O."""

from __future__ import annotations

import datetime as dt
import enum
import unicodedata
import uuid

from services.org.contract.delegation import CodeState
from services.org.delegation.rules import proposals
from services.org.rules.delegation import SPECIALISED
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed

# No 0 O 1 I L: they are mistaken for each other in letters and on the phone. 31 symbols, a prime, so that the check
# symbol finds every single wrong symbol and every two that changed places.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
RANDOM_SYMBOLS = 17  # 31^17 > 2^84; `domain.md` §3.8 asks for 80 bits
LENGTH = RANDOM_SYMBOLS + 1
GROUP = 6
LIFETIME = dt.timedelta(days=30)  # `domain.md` §3.8
# Who is not sure of 84 bits needs no third try; a letter with a smudge does.
GUESS_WINDOW = dt.timedelta(hours=1)
GUESSES_OF_ACCOUNT = 10
GUESSES_OF_ADDRESS = 60  # a county's hall on the day of the hand-out shares one address
APPROVAL_WITHIN = proposals.LIFETIME
ROLES = frozenset({Role.SCHOOL_ADMIN, Role.SUPER_ADMIN, *SPECIALISED.values()})


# Codes that may yet become a grant: one for each seat at a time.
WAITING = frozenset({CodeState.PROPOSED, CodeState.ISSUED})


class Act(enum.StrEnum):
    GENERATE = "GENERATE"
    PROPOSE = "PROPOSE"  # generate one that a second person has to approve
    APPROVE = "APPROVE"
    DELIVER = "DELIVER"
    ACTIVATE = "ACTIVATE"
    VOID = "VOID"  # expired, generated anew, or its unit or its issuer's right is gone
    REVOKE = "REVOKE"


# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[CodeState | None, Act], CodeState] = {
    (None, Act.GENERATE): CodeState.ISSUED,
    (None, Act.PROPOSE): CodeState.PROPOSED,
    (CodeState.PROPOSED, Act.APPROVE): CodeState.ISSUED,
    (CodeState.PROPOSED, Act.VOID): CodeState.VOID,
    (CodeState.PROPOSED, Act.REVOKE): CodeState.VOID,
    (CodeState.ISSUED, Act.DELIVER): CodeState.ISSUED,
    (CodeState.ISSUED, Act.ACTIVATE): CodeState.ACTIVATED,
    (CodeState.ISSUED, Act.VOID): CodeState.VOID,
    (CodeState.ISSUED, Act.REVOKE): CodeState.VOID,
    (CodeState.ACTIVATED, Act.REVOKE): CodeState.REVOKED,
}


def next_state(state: CodeState | None, act: Act) -> CodeState:
    """The state after `act`. Raises Conflict("org.code_not_waiting") when it is not possible now.

    Activating is refused in the one way that tells nothing: InvalidInput("org.code_refused").
    """
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        if act is Act.ACTIVATE:
            raise refused() from None
        raise Conflict("org.code_not_waiting") from None


def refused() -> InvalidInput:
    """The one answer for a code that is unknown, used, void or expired."""
    return InvalidInput("org.code_refused", "code")


def require_fresh(expires_at: dt.datetime, now: dt.datetime) -> None:
    """Raises InvalidInput("org.code_refused") for a code whose time is over, swept or not; the end itself is outside."""
    if now >= expires_at:
        raise refused()


def require_code_role(role: Role) -> None:
    """Raises InvalidInput("org.code_role") for a role that is given by name and not by code, such as a principal's."""
    if role not in ROLES:
        raise InvalidInput("org.code_role", "role")


def require_other_issuer(issuer: uuid.UUID, approver: uuid.UUID | None, activator: uuid.UUID | None) -> None:
    """Nobody activates what he issued or approved. Raises NotAllowed("org.code_own")."""
    if activator in (issuer, approver):
        raise NotAllowed("org.code_own")


def window_of(now: dt.datetime) -> dt.datetime:
    """The beginning of the hour in which a guess is counted."""
    return now.replace(minute=0, second=0, microsecond=0)


def seconds_left(now: dt.datetime) -> int:
    """Until the next hour begins."""
    return int((window_of(now) + GUESS_WINDOW - now).total_seconds()) + 1


# --- how a code looks -----------------------------------------------------------------------------------------------


def compose(symbols: list[int]) -> str:
    """The code of these 17 random numbers below 31: their symbols and the check symbol."""
    if len(symbols) != RANDOM_SYMBOLS:
        raise ValueError("a code is made of 17 symbols")
    return "".join(ALPHABET[number] for number in (*symbols, _check(symbols)))


def show(code: str) -> str:
    """As it is printed: `ABCDEF-GHJKMN-PQRSTU`."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def read(typed: str) -> str:
    """The code as somebody typed it: any case, full-width letters, with or without dashes and blanks.

    Raises InvalidInput("org.code_mistyped") for what can be no code; that tells nothing about any code there is.
    """
    text = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(each for each in text if not each.isspace() and unicodedata.category(each) != "Pd")
    if len(code) != LENGTH or any(each not in ALPHABET for each in code):
        raise InvalidInput("org.code_mistyped", "code")
    numbers = [ALPHABET.index(each) for each in code]
    if numbers[-1] != _check(numbers[:-1]):
        raise InvalidInput("org.code_mistyped", "code")
    return code


def _check(symbols: list[int]) -> int:
    # With distinct weights 2..18 and 1 for the check symbol itself, modulo a prime.
    return -sum(weight * number for weight, number in enumerate(symbols, start=2)) % len(ALPHABET)
