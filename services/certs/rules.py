"""Pure rules of certificates: who gets one, its number, and the text that is signed; standard library only."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import unicodedata
from decimal import Decimal


class State(enum.StrEnum):
    """Where a teacher stands with a programme's certificate (`domain.md` §3.18)."""

    NOT_DUE = "NOT_DUE"  # the season has not closed, or its hours are not all in
    NOT_EARNED = "NOT_EARNED"
    BLOCKED = "BLOCKED"  # earned, but something about the person is missing
    ISSUED = "ISSUED"
    REPLACED = "REPLACED"  # of one edition: a corrected one took its place
    REVOKED = "REVOKED"


class Reason(enum.StrEnum):
    """Why the state is what it is; each has its text in `contract.REASONS`."""

    SEASON_OPEN = "season_open"
    DECISION_PENDING = "decision_pending"
    REQUIREMENT_NOT_MET = "requirement_not_met"
    COURSES_MISSING = "courses_missing"
    TEACHER_NOT_VERIFIED = "teacher_not_verified"
    HOLDER_UNKNOWN = "holder_unknown"
    NAME_NOT_PRINTABLE = "name_not_printable"
    HOURS_CORRECTED_LATER = "hours_corrected_later"
    REVOKED = "revoked"


class Kind(enum.StrEnum):
    """Kinds of certificates (`domain.md` §2.4)."""

    LEARNING = "LEARNING"  # 学习证书 of a season
    CREDIT = "CREDIT"  # 学分证书 of a frozen year: S2:171
    COMPLETION = "COMPLETION"  # 结业证书: an institution issued it, and registered it here (S2:171)
    STUDY_PROOF = "STUDY_PROOF"  # 成绩证明: what was recognised of a season, enough or not


# What may follow what. A corrected ledger may still lift NOT_EARNED; nothing leaves REPLACED or REVOKED.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.NOT_DUE: frozenset({State.NOT_EARNED, State.BLOCKED, State.ISSUED}),
    State.NOT_EARNED: frozenset({State.BLOCKED, State.ISSUED}),
    State.BLOCKED: frozenset({State.NOT_EARNED, State.ISSUED}),
    State.ISSUED: frozenset({State.REPLACED, State.REVOKED}),
    State.REPLACED: frozenset(),
    State.REVOKED: frozenset(),
}
_REFUSALS = {
    State.REPLACED: "certs.already_replaced",
    State.REVOKED: "certs.already_revoked",
    State.ISSUED: "certs.already_issued",
}


class TransitionError(ValueError):
    """The state machine has no such step; `code` says which rule is in the way."""

    def __init__(self, current: State, target: State) -> None:
        super().__init__(f"{current} cannot become {target}")
        self.current, self.target = current, target
        self.code = _REFUSALS.get(current, "certs.not_issued")


def move(current: State, target: State) -> State:
    """The target, if the state machine knows the step (staying is always one). Raises TransitionError."""
    if target is not current and target not in TRANSITIONS[current]:
        raise TransitionError(current, target)
    return target


@dataclasses.dataclass(frozen=True)
class Standing:
    """What credits recognised for one teacher in one programme."""

    hours: Decimal
    courses_done: int
    courses_total: int
    requirement_met: bool


NO_STANDING = Standing(Decimal("0.00"), 0, 0, requirement_met=False)


@dataclasses.dataclass(frozen=True)
class Verdict:
    state: State
    reasons: tuple[Reason, ...] = ()


def decide(
    current: State,
    standing: Standing,
    *,
    due: bool,
    verified: bool,
    holder_known: bool = True,
    printable: bool = True,
) -> Verdict:
    """What the facts make of a teacher's certificate, with a reason for everything but ISSUED.

    A certificate once issued, or revoked by people, is never taken back or given again by a calculation: hours that a
    later correction took away only leave a reason for those who may revoke it.
    """
    if current is State.REVOKED:
        return Verdict(current, (Reason.REVOKED,))
    if current is State.ISSUED:
        return Verdict(current, () if standing.requirement_met else (Reason.HOURS_CORRECTED_LATER,))
    if not due:  # only after the season has ended: S0:29-31
        return Verdict(State.NOT_DUE, (Reason.SEASON_OPEN,))
    if not standing.requirement_met:  # SW23.CERT: five courses and six hours, S0:95
        return Verdict(State.NOT_EARNED, _shortfall(standing))
    if not verified:  # S0:176
        return Verdict(State.BLOCKED, (Reason.TEACHER_NOT_VERIFIED,))
    if not holder_known:
        return Verdict(State.BLOCKED, (Reason.HOLDER_UNKNOWN,))
    if not printable:  # ours: what cannot be put on paper is told before it is issued, never an empty box on it
        return Verdict(State.BLOCKED, (Reason.NAME_NOT_PRINTABLE,))
    return Verdict(State.ISSUED)


def _shortfall(standing: Standing) -> tuple[Reason, ...]:
    if standing.courses_done < standing.courses_total:
        return (Reason.REQUIREMENT_NOT_MET, Reason.COURSES_MISSING)
    return (Reason.REQUIREMENT_NOT_MET,)


# --- the number -------------------------------------------------------------------------------------------------

# 29 characters: digits and the letters that nobody takes for another one (no B I L O S U Z). 29 is prime, so weights
# that are powers of 2 (a primitive root of 29, as in the pure systems of ISO 7064) give a check character that catches
# every wrong character and every swap of two; MOD 37,36 over all letters would miss some swaps.
ALPHABET = "0123456789ACDEFGHJKMNPQRTVWXY"
MODULUS = len(ALPHABET)
RADIX = 2
YEAR_LENGTH, RANDOM_LENGTH = 4, 11  # 29**11 = 1.2e16: guessing one of 14 million a year succeeds once in 870 million
NUMBER_LENGTH = YEAR_LENGTH + RANDOM_LENGTH + 1
RANDOM_RANGE = MODULUS**RANDOM_LENGTH
_LOOK_ALIKES = str.maketrans("BILOSUZ", "81105V2")
_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\u2212\u00a0\u3000")
_MAXIMUM_TYPED = 64


class NumberError(ValueError):
    """What was typed cannot be a certificate number: wrong length or letters, or the check character disagrees."""


def make_number(year: int, random_value: int) -> str:
    """The number of a new certificate: year of issue, eleven random characters, check character."""
    characters = []
    for _ in range(RANDOM_LENGTH):
        random_value, digit = divmod(random_value, MODULUS)
        characters.append(ALPHABET[digit])
    body = f"{year:04d}" + "".join(characters)
    return body + _check_character(body)


def parse_number(typed: str) -> str:
    """The number as stored, from what a person typed: any case, spaces, dashes, full width, look-alike letters.

    Raises NumberError.
    """
    # The length comes first: normalising may not be made to work on a megabyte.
    if len(typed) > _MAXIMUM_TYPED:
        raise NumberError("too long")
    number = unicodedata.normalize("NFKC", typed).translate(_SEPARATORS).upper().translate(_LOOK_ALIKES)
    if len(number) != NUMBER_LENGTH or any(character not in ALPHABET for character in number):
        raise NumberError("not the form of a number")
    if _check_character(number[:-1]) != number[-1]:
        raise NumberError("the check character does not fit")
    return number


def format_number(number: str) -> str:
    """For people: groups of four."""
    return "-".join(number[start : start + 4] for start in range(0, len(number), 4))


def _check_character(body: str) -> str:
    # ISO 7064, pure system: the weighted sum of all characters, the check character included, is 1.
    total = 0
    for character in body:
        total = (total + ALPHABET.index(character)) * RADIX % MODULUS
    return ALPHABET[(1 - total) % MODULUS]


# --- the signed text --------------------------------------------------------------------------------------------

STATEMENT_FORMAT = "yanxiu.certificate/1"


@dataclasses.dataclass(frozen=True)
class Statement:
    """What the signature is over. All of it is public: the holder appears masked and as a salted digest only."""

    number: str
    edition: int
    kind: str
    programme_code: str
    programme_zh: str
    programme_en: str
    opens_on: str
    closes_on: str
    hours: str
    issued_at: str
    issuer: str
    school_name: str
    holder_masked: str
    holder_digest: str


def canonical(statement: Statement) -> bytes:
    """The one byte form of a statement: UTF-8 JSON, keys sorted, no spaces, with the version of the format.

    Only strings and integers occur in it, so that no two JSON writers can differ about a number.
    """
    fields = {"format": STATEMENT_FORMAT, **dataclasses.asdict(statement)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_statement(text: str) -> Statement:
    """The statement that `canonical` wrote. Raises ValueError for another format."""
    fields = json.loads(text)
    if fields.pop("format", "") != STATEMENT_FORMAT:
        raise ValueError("another format of statement")
    return Statement(**fields)


def holder_digest(name: str, salt: bytes) -> str:
    """Ties the signature to a person without naming her: SHA-256 over salt and name.

    The salt stays secret with the name; without it a masked name could be completed by trying.
    """
    text = json.dumps([salt.hex(), name], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


# --- the name on public pages -----------------------------------------------------------------------------------

_LONGEST_EXACT = 4  # longer names are masked with a fixed number of stars, so that the length tells nothing


def mask_name(name: str) -> str:
    """`张*`, `张*明`, `欧**修`, `M***n`: enough to recognise one's own certificate, too little to find a person."""
    letters = _letters(name.strip())
    if len(letters) <= 1:
        return "*"
    if len(letters) == 2:
        return letters[0] + "*"
    hidden = len(letters) - 2 if len(letters) <= _LONGEST_EXACT else 3
    return letters[0] + "*" * hidden + letters[-1]


def _letters(name: str) -> list[str]:
    """The name cut into what a reader sees as characters: marks and variation selectors stay with their letter."""
    letters: list[str] = []
    for character in name:
        if letters and (unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf")):
            letters[-1] += character
        else:
            letters.append(character)
    return letters
