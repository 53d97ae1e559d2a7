"""Hashes of files."""

import hashlib
from functools import cache
from pathlib import Path


def hash_file(file: Path) -> str:
    """Return the sha256 of a file's bytes, 64 hexadecimal digits.

    A file is read once a process, and again only if its size or modification time has changed.
    """
    status = file.stat()
    return _hash_content(file.resolve(), status.st_size, status.st_mtime_ns)


@cache
def _hash_content(file: Path, size: int, modified_ns: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
