"""Files sealed under keys of their own."""

import pytest

from services.shared.crypto import SealError
from services.shared.sealed_files import new_file_key, open_file, seal_file

IMAGE = b"\xff\xd8 not really an image " * 1000


def test_a_file_opens_with_its_key_and_name_only():
    key = new_file_key()
    sealed = seal_file(IMAGE, key, "evidence-1")
    assert open_file(sealed, key, "evidence-1") == IMAGE
    assert IMAGE[:20] not in sealed
    for content, other_key, name in (
        (sealed, key, "evidence-2"),
        (sealed, new_file_key(), "evidence-1"),
        (sealed[:-1], key, "evidence-1"),
        (b"", key, "evidence-1"),
        (sealed, "short", "evidence-1"),
    ):
        with pytest.raises(SealError):
            open_file(content, other_key, name)


def test_the_same_file_is_never_sealed_alike():
    key = new_file_key()
    assert seal_file(IMAGE, key, "a") != seal_file(IMAGE, key, "a")
