"""Password hashes: argon2id with the figures of the settings, and the same work for nobody."""

import dataclasses

import pytest

from services.identity.passwords import Passwords
from services.shared.settings import load_settings


def test_the_figures_are_those_of_the_architecture():
    # architecture.md decision 19
    assert Passwords(load_settings({})).hash("correct-horse-9").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.fixture
def cheap():
    return Passwords(dataclasses.replace(load_settings({}), argon2_memory_kib=64, argon2_passes=1))


def test_only_the_right_password_matches(cheap):
    stored = cheap.hash("correct-horse-9")
    assert cheap.verify("correct-horse-9", stored)
    assert not cheap.verify("correct-horse-8", stored)
    assert not cheap.verify("", stored)


def test_without_a_hash_nothing_matches_not_even_the_empty_password(cheap):
    assert not cheap.verify("", None)
    assert not cheap.verify("correct-horse-9", None)


def test_a_damaged_hash_is_no_match_and_no_defect(cheap):
    assert not cheap.verify("correct-horse-9", "damaged")


def test_a_hash_of_older_figures_is_recognised(cheap):
    assert Passwords(load_settings({})).is_outdated(cheap.hash("correct-horse-9"))
