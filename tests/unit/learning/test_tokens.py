"""Play tokens and receipts: what was signed comes back, and nothing else does."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.learning.contract.tokens import (
    PlayToken,
    Receipt,
    mint_play_token,
    mint_receipt,
    read_play_token,
    read_receipt,
)
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.ids import new_id

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
NOON = dt.datetime(2023, 1, 10, 4, 0, 0, 123456, tzinfo=dt.UTC)
TOKEN = PlayToken(new_id(), new_id(), new_id(), 2700, 7, 3, NOON)
RECEIPT = Receipt(new_id(), 12, "0123456789abcdef", NOON)


def is_signed(signature: bytes, body: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, body)
    except InvalidSignature:
        return False
    return True


def test_both_come_back_as_they_went():
    assert read_play_token(mint_play_token(TOKEN, KEY.sign), is_signed) == TOKEN
    assert read_receipt(mint_receipt(RECEIPT, KEY.sign), is_signed) == RECEIPT


def test_another_key_signs_nothing():
    with pytest.raises(NotAllowed):
        read_play_token(mint_play_token(TOKEN, OTHER.sign), is_signed)
    with pytest.raises(InvalidInput):
        read_receipt(mint_receipt(RECEIPT, OTHER.sign), is_signed)


def test_a_receipt_is_no_play_token():
    with pytest.raises(NotAllowed):
        read_play_token(mint_receipt(RECEIPT, KEY.sign), is_signed)


@given(st.data())
def test_no_changed_character_passes(data):
    text = mint_play_token(TOKEN, KEY.sign)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(codec="utf-8").filter(lambda drawn: drawn != text[place]))
    with pytest.raises(NotAllowed):
        read_play_token(text[:place] + character + text[place + 1 :], is_signed)


@given(st.text(max_size=300))
def test_any_text_is_refused_and_never_breaks(text):
    with pytest.raises(NotAllowed):
        read_play_token(text, is_signed)
    with pytest.raises(InvalidInput):
        read_receipt(text, is_signed)
