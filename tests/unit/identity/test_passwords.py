"""Password hashes: argon2id with the figures of the settings, and the same work for nobody."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from services.identity.hashing import Workspace
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


def test_what_the_library_hashed_matches_and_nothing_near_it(cheap):
    stored = cheap.hash("correct-horse-9")
    salt, digest = stored.split("$")[-2:]
    other = "A" if digest[0] != "A" else "B"
    assert cheap.verify("correct-horse-9", stored)
    assert not cheap.verify("correct-horse-9", stored.replace(digest, other + digest[1:]))
    assert not cheap.verify("correct-horse-9", stored.replace(salt, salt[::-1]))
    assert not cheap.verify("correct-horse-9", stored.replace(salt, "?" * len(salt)))


def test_a_hash_of_other_figures_still_matches(cheap):
    dearer = Passwords(dataclasses.replace(load_settings({}), argon2_memory_kib=128, argon2_passes=2))
    stored = dearer.hash("correct-horse-9")
    assert cheap.verify("correct-horse-9", stored)
    assert not cheap.verify("correct-horse-8", stored)


def test_many_at_once_do_not_write_into_each_others_memory(cheap):
    hashes = {f"correct-horse-{number}": cheap.hash(f"correct-horse-{number}") for number in range(8)}
    tried = [(password, stored) for password in hashes for stored in hashes.values()] * 4
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda pair: cheap.verify(*pair), tried))
    assert found == [hashes[password] == stored for password, stored in tried]


def test_memory_is_kept_and_wiped():
    parameters = extract_parameters(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("x"))
    workspace = Workspace(parameters)
    assert workspace.digest(b"correct-horse-9", b"salt" * 4) == workspace.digest(b"correct-horse-9", b"salt" * 4)
    assert bytes(workspace._memory) == bytes(64 * 1024)


def test_threads_of_argon2_itself_would_share_a_workspace():
    parameters = extract_parameters(PasswordHasher(time_cost=1, memory_cost=64, parallelism=2).hash("x"))
    with pytest.raises(ValueError, match="threads"):
        Workspace(parameters)
