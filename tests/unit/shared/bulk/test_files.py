"""Sealed files: what is written comes back; nothing that was tampered with does, and nothing can be read on the disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.shared.bulk import files as sealed
from services.shared.bulk.files import SealedFile, SealedFiles
from services.shared.crypto import KeySet, SealError
from services.shared.errors import NotFound
from services.shared.storage import FolderStorage

KEYS = KeySet("0123abcd", {"0123abcd": bytes(range(32)), "99999999": bytes(32)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SealedFiles:
    monkeypatch.setattr(sealed, "PIECE_BYTES", 10)
    return SealedFiles(KEYS, FolderStorage(folder))


def objects(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25])
def test_what_is_written_comes_back(files: SealedFiles, size: int) -> None:
    content = bytes(range(size))
    file = files.store([content[:7], content[7:]])
    assert b"".join(files.read(file)) == content
    assert file.size == size
    assert SealedFile.from_wire(file.to_wire()) == file


def test_nothing_can_be_read_on_the_disk(files: SealedFiles, folder: Path) -> None:
    files.store(["张三的身份证号".encode() * 3])
    assert all("张三".encode() not in path.read_bytes() for path in objects(folder))


@pytest.mark.parametrize("damage", ["swap", "drop last", "drop first", "repeat", "other file", "flip", "other key"])
def test_pieces_fit_only_where_they_belong(files: SealedFiles, folder: Path, damage: str) -> None:
    file, other = files.store([bytes(25)]), files.store([bytes(25)])
    first, second, third = file.pieces
    changed = {
        "swap": (second, first, third),
        "drop last": (first, second),
        "drop first": (second, third),
        "repeat": (first, first, second, third),
        "other file": (first, other.pieces[1], third),
    }.get(damage, file.pieces)
    if damage == "flip":
        path = folder / second
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    if damage == "other key":
        path = folder / second
        path.write_bytes(b"99999999" + path.read_bytes()[8:])
    with pytest.raises(SealError):
        list(files.read(dataclasses.replace(file, pieces=changed)))


def test_the_whole_is_checked_too(files: SealedFiles) -> None:
    file = files.store([b"x"])
    with pytest.raises(SealError):
        list(files.read(dataclasses.replace(file, sha256="0" * 64)))


def test_what_is_forgotten_is_gone(files: SealedFiles, folder: Path) -> None:
    file = files.store([bytes(25)])
    files.forget(file.pieces)
    assert objects(folder) == []
    with pytest.raises(NotFound):
        list(files.read(file))


def test_a_file_that_never_ended_leaves_nothing(files: SealedFiles, folder: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(25)
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="gone"):
        files.store(broken())
    assert objects(folder) == []


def test_a_rotated_key_still_opens_what_it_sealed(files: SealedFiles, folder: Path) -> None:
    file = files.store([b"x"])
    newer = SealedFiles(KeySet("77777777", {**KEYS.secrets, "77777777": bytes(31) + b"x"}), FolderStorage(folder))
    assert b"".join(newer.read(file)) == b"x"
