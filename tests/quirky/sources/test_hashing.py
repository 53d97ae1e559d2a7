"""A file's hash follows its bytes."""

import hashlib
import os
from pathlib import Path

import pytest

from quirky.sources.hashing import hash_file


def test_the_hash_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    assert hash_file(file) == hashlib.sha256(b"abc").hexdigest()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    before = hash_file(file)
    file.write_bytes(b"abd")
    os.utime(file, ns=(1, 1))
    assert hash_file(file) != before


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    first = hash_file(file)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was read again"))
    assert hash_file(file) == first
