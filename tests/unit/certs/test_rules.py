"""The certificate decision, its number, the signed text and the public name."""

import contextlib
import itertools
import json
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.certs import rules
from services.certs.rules import Reason, State

MET = rules.Standing(Decimal("6.00"), 5, 5, True)
W02 = rules.Standing(Decimal("4.00"), 4, 5, False)
W12 = rules.Standing(Decimal("5.00"), 4, 5, False)
SHORT = rules.Standing(Decimal("5.00"), 5, 5, False)


def decide(current=State.NOT_DUE, standing=MET, *, due=True, verified=True, **holder):
    return rules.decide(current, standing, due=due, verified=verified, **holder)


@pytest.mark.parametrize(
    ("facts", "state", "reasons"),
    [
        ({"due": False}, State.NOT_DUE, (Reason.SEASON_OPEN,)),
        ({}, State.ISSUED, ()),
        ({"standing": W02}, State.NOT_EARNED, (Reason.REQUIREMENT_NOT_MET, Reason.COURSES_MISSING)),
        ({"standing": W12}, State.NOT_EARNED, (Reason.REQUIREMENT_NOT_MET, Reason.COURSES_MISSING)),
        ({"standing": SHORT}, State.NOT_EARNED, (Reason.REQUIREMENT_NOT_MET,)),
        ({"standing": SHORT, "verified": False}, State.NOT_EARNED, (Reason.REQUIREMENT_NOT_MET,)),
        ({"verified": False}, State.BLOCKED, (Reason.TEACHER_NOT_VERIFIED,)),
        ({"verified": False, "holder_known": False}, State.BLOCKED, (Reason.TEACHER_NOT_VERIFIED,)),
        ({"holder_known": False}, State.BLOCKED, (Reason.HOLDER_UNKNOWN,)),
        ({"printable": False}, State.BLOCKED, (Reason.NAME_NOT_PRINTABLE,)),
        ({"printable": False, "holder_known": False}, State.BLOCKED, (Reason.HOLDER_UNKNOWN,)),
        ({"printable": False, "standing": W12}, State.NOT_EARNED, (Reason.REQUIREMENT_NOT_MET, Reason.COURSES_MISSING)),
        ({"current": State.BLOCKED}, State.ISSUED, ()),
        ({"current": State.NOT_EARNED}, State.ISSUED, ()),
        ({"current": State.ISSUED, "standing": W12}, State.ISSUED, (Reason.HOURS_CORRECTED_LATER,)),
        ({"current": State.ISSUED, "verified": False}, State.ISSUED, ()),
        ({"current": State.REVOKED}, State.REVOKED, (Reason.REVOKED,)),
        ({"current": State.REVOKED, "standing": W12}, State.REVOKED, (Reason.REVOKED,)),
    ],
)
def test_the_decision_and_its_reasons(facts, state, reasons):
    assert decide(**facts) == rules.Verdict(state, reasons)


@given(
    current=st.sampled_from([state for state in State if state is not State.REPLACED]),
    standing=st.sampled_from([MET, W02, W12, SHORT]),
    verified=st.booleans(),
    holder_known=st.booleans(),
)
def test_every_decision_after_the_close_is_a_known_step_with_a_reason(current, standing, verified, holder_known):
    verdict = decide(current, standing, verified=verified, holder_known=holder_known)
    assert rules.move(current, verdict.state) is verdict.state
    assert verdict.reasons or verdict.state is State.ISSUED


@pytest.mark.parametrize(
    ("current", "target", "code"),
    [
        (State.NOT_EARNED, State.REVOKED, "certs.not_issued"),
        (State.BLOCKED, State.REPLACED, "certs.not_issued"),
        (State.ISSUED, State.BLOCKED, "certs.already_issued"),
        (State.REPLACED, State.REVOKED, "certs.already_replaced"),
        (State.REVOKED, State.ISSUED, "certs.already_revoked"),
    ],
)
def test_steps_that_do_not_exist_are_refused_by_name(current, target, code):
    with pytest.raises(rules.TransitionError) as refused:
        rules.move(current, target)
    assert refused.value.code == code


NUMBERS = [rules.make_number(2023, random.Random(seed).randrange(rules.RANDOM_RANGE)) for seed in range(20)]


def accepted(number):
    try:
        return rules.parse_number(number) == number
    except rules.NumberError:
        return False


def test_a_made_number_reads_back_in_every_way_people_type_it():
    for number in NUMBERS:
        shown = rules.format_number(number)
        wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
        typed_badly = number.replace("0", "O").replace("1", "l").replace("8", "b").replace("5", "s").replace("2", "Z")
        for typed in (number, shown, shown.lower(), f"  {shown} ", wide, typed_badly, shown.replace("-", "\u2013")):
            assert rules.parse_number(typed) == number
        assert len(shown) == 19
        assert shown.startswith("2023-")


def test_every_single_wrong_character_is_detected():
    for number in NUMBERS:
        for place, wrong in itertools.product(range(len(number)), rules.ALPHABET):
            if number[place] != wrong:
                assert not accepted(number[:place] + wrong + number[place + 1 :])


def test_every_swap_of_two_characters_is_detected_adjacent_or_not():
    for number in NUMBERS:
        for left, right in itertools.combinations(range(len(number)), 2):
            if number[left] != number[right]:
                swapped = list(number)
                swapped[left], swapped[right] = swapped[right], swapped[left]
                assert not accepted("".join(swapped))


def test_a_lost_or_doubled_character_is_detected():
    for number in NUMBERS:
        for place in range(len(number)):
            assert not accepted(number[:place] + number[place + 1 :])
            assert not accepted(number[:place] + number[place] + number[place:])


@settings(max_examples=300)
@given(st.text(max_size=100))
def test_no_text_breaks_the_reader(typed):
    with contextlib.suppress(rules.NumberError):
        assert rules.parse_number(rules.parse_number(typed))


@given(st.integers(0, rules.RANDOM_RANGE - 1), st.integers(0, rules.RANDOM_RANGE - 1))
def test_different_random_values_give_different_numbers(one, other):
    assert (rules.make_number(2024, one) == rules.make_number(2024, other)) == (one == other)


STATEMENT = rules.Statement(
    number=NUMBERS[0],
    edition=1,
    kind="LEARNING",
    programme_code="2023-winter",
    programme_zh="2023年寒假教师研修",
    programme_en="Winter 2023",
    opens_on="2022-12-02",
    closes_on="2023-02-28",
    hours="6.00",
    issued_at="2023-03-01T00:05:00.000000Z",
    issuer="研修",
    school_name="一小",
    holder_masked="张*明",
    holder_digest="00",
)


def test_the_signed_text_is_fixed_byte_for_byte():
    text = rules.canonical(STATEMENT).decode()
    assert text.startswith('{"closes_on":"2023-02-28","edition":1,"format":"yanxiu.certificate/1",')
    assert '"holder_masked":"张*明"' in text
    assert " " not in text.replace("Winter 2023", "")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_the_holder_digest_depends_on_name_and_salt():
    holders = [("张明", b"1"), ("张明", b"2"), ("张", b"1"), ("", b"1"), ("张明", b"")]
    assert len({rules.holder_digest(name, salt) for name, salt in holders}) == len(holders)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", "*"),
        ("张", "*"),
        ("张明", "张*"),
        ("张小明", "张*明"),
        ("欧阳修文", "欧**文"),
        ("买买提·吐尔逊", "买***逊"),
        ("Mary Jane Watson", "M***n"),
        ("葛\U000e0100明", "葛\U000e0100*"),
        ("\U00030edd\U00030edd明", "\U00030edd*明"),
    ],
)
def test_public_names_are_masked(name, masked):
    assert rules.mask_name(name) == masked


@given(st.text(min_size=1, max_size=30))
def test_a_masked_name_never_shows_more_than_two_letters(name):
    visible = [letter for letter in rules.mask_name(name) if letter != "*"]
    assert len(rules._letters("".join(visible))) <= 2
