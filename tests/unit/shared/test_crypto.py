"""Sealed fields and blind indexes: what opens, what must not, and rotation."""

import base64
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.crypto import BlindIndex, FieldCipher, KeySet, SealError
from services.shared.keys import KeyRing

ROW = uuid.UUID("01890000-0000-7000-8000-000000000001")
OTHER_ROW = uuid.UUID("01890000-0000-7000-8000-000000000002")
OLD, NEW = KeySet("k1", {"k1": b"1" * 32}), KeySet("k2", {"k1": b"1" * 32, "k2": b"2" * 32})
WHERE = ("profile", ROW, "name")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_sealed_text_opens_to_itself(text):
    cipher = FieldCipher(OLD)
    assert cipher.open(cipher.seal(text, *WHERE), *WHERE) == text


def test_sealing_twice_gives_two_values_so_equal_people_do_not_show():
    cipher = FieldCipher(OLD)
    assert cipher.seal("张三", *WHERE) != cipher.seal("张三", *WHERE)


@pytest.mark.parametrize(
    "elsewhere", [("account", ROW, "name"), ("profile", OTHER_ROW, "name"), ("profile", ROW, "id_no")]
)
def test_a_value_moved_to_another_table_row_or_field_does_not_open(elsewhere):
    cipher = FieldCipher(OLD)
    with pytest.raises(SealError):
        cipher.open(cipher.seal("张三", *WHERE), *elsewhere)


def test_every_flipped_bit_is_noticed():
    cipher = FieldCipher(OLD)
    key_id, encoded = cipher.seal("张三", *WHERE).split(".")
    data = base64.urlsafe_b64decode(encoded)
    for place in range(len(data)):
        damaged = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(data))
        with pytest.raises(SealError):
            cipher.open(f"{key_id}.{base64.urlsafe_b64encode(damaged).decode()}", *WHERE)


@pytest.mark.parametrize("nonsense", ["", "k1", "k1.", "k1.AAAA", "k1.*", "k9.AAAA", "a.b.c"])
def test_nonsense_is_refused_with_one_kind_of_error(nonsense):
    with pytest.raises(SealError):
        FieldCipher(OLD).open(nonsense, *WHERE)


def test_a_value_relabelled_with_another_key_id_does_not_open():
    sealed = FieldCipher(OLD).seal("张三", *WHERE)
    with pytest.raises(SealError):
        FieldCipher(NEW).open("k2" + sealed.removeprefix("k1"), *WHERE)


def test_after_rotation_old_values_open_and_reseal_under_the_new_key():
    sealed = FieldCipher(OLD).seal("张三", *WHERE)
    cipher = FieldCipher(NEW)
    assert not cipher.is_current(sealed)
    fresh = cipher.reseal(sealed, *WHERE)
    assert cipher.is_current(fresh)
    assert cipher.open(fresh, *WHERE) == "张三"
    assert cipher.reseal(fresh, *WHERE) == fresh
    with pytest.raises(SealError):
        FieldCipher(OLD).open(fresh, *WHERE)


def test_an_index_finds_equal_values_only_of_the_same_kind():
    index = BlindIndex(OLD)
    assert index.index("13800138000", "phone") == index.index("13800138000", "phone")
    assert index.index("13800138000", "phone") != index.index("13800138001", "phone")
    assert index.index("13800138000", "phone") != index.index("13800138000", "id_no")


def test_an_index_depends_on_its_key_and_does_not_show_the_value():
    assert BlindIndex(OLD).index("1", "phone") != BlindIndex(KeySet("k1", {"k1": b"3" * 32})).index("1", "phone")
    assert "13800138000" not in BlindIndex(OLD).index("13800138000", "phone")


def test_during_a_rotation_the_old_index_is_among_the_candidates():
    stored = BlindIndex(OLD).index("13800138000", "phone")
    index = BlindIndex(NEW)
    assert stored in index.candidates("13800138000", "phone")
    assert index.candidates("13800138000", "phone")[0] == index.index("13800138000", "phone")
    assert not index.is_current(stored)


@pytest.mark.parametrize(
    ("current", "secrets"), [("k1", {}), ("k1", {"k1": b"short"}), ("k.1", {"k.1": b"1" * 32}), ("é", {"é": b"1" * 32})]
)
def test_a_key_set_without_its_current_key_or_with_a_bad_one_is_refused(current, secrets):
    with pytest.raises(ValueError, match="key"):
        KeySet(current, secrets)


def test_keys_do_not_show_when_a_key_set_is_printed():
    assert "1111" not in repr(OLD)


def test_a_key_set_of_the_key_ring_reads_retired_keys_too(tmp_path):
    keyring = KeyRing(tmp_path, generate=True)
    old = KeySet.of(keyring, "field-encryption")
    sealed = FieldCipher(old).seal("张三", *WHERE)
    (tmp_path / "field-encryption.key").rename(tmp_path / f"field-encryption.{old.current}.key")
    rotated = KeySet.of(KeyRing(tmp_path, generate=True), "field-encryption")
    assert rotated.current != old.current
    assert FieldCipher(rotated).open(sealed, *WHERE) == "张三"
