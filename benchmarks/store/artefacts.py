"""Content-addressed artefacts: computed once, shared by all runs, never half-written.

    <store>/{data,adapters,states,fits}/<hash>/

The hash covers everything that determines an artefact and nothing else. An artefact is written
under a temporary name and renamed, so a killed run leaves either the complete artefact or nothing
that is ever read. `$QUIRKY_HOME` is the folder of the store; the default is ~/.cache/quirky.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

Kind = Literal["data", "adapters", "states", "fits"]
FORMAT: dict[Kind, int] = {"data": 3, "adapters": 2, "states": 1, "fits": 6}
"""Format version of each kind: incremented when its layout or meaning changes; part of the hash."""

LOCK_FILE = ".writing"
"""In a folder that is being written; the writer holds a lock on it."""
GRACE_SECONDS = 60.0
"""A younger unfinished folder is never removed: its writer may not hold the lock yet."""


def store_root() -> Path:
    """Return the folder of the store."""
    return Path(os.environ.get("QUIRKY_HOME") or Path.home() / ".cache" / "quirky")


def content_hash(content: object) -> str:
    """Return 32 hex characters that identify a JSON-serialisable value; key order is irrelevant."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def ensure_artefact(kind: Kind, key: Mapping[str, object], make: Callable[[Path], None]) -> Path:
    """Return the folder of an artefact, which `make(folder)` fills if the store lacks it.

    The key is stored beside the content as `key.json`. If `make` raises, nothing is stored.

    Args:
        kind: kind of artefact.
        key: everything that determines its content.
        make: writes the content into the folder that it is given.
    """
    full_key = {"kind": kind, "format": FORMAT[kind], **key}
    folder = store_root() / kind / content_hash(full_key)
    if not folder.exists():
        with atomic_folder(folder, replace=False) as temporary:
            make(temporary)
            (temporary / "key.json").write_text(json.dumps(full_key, indent=1, default=str))
    return folder


def require_empty_folder(folder: Path) -> None:
    """Check that a folder can be written and holds nothing.

    Raises:
        ValueError: if the folder is not empty, or the path is a file.
        OSError: if the folder cannot be written.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not empty; give a new or an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder.parent):
        pass


@contextmanager
def atomic_folder(folder: Path, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary folder that becomes `folder` when the block ends without an error.

    With `replace=False`, a folder that another process wrote in the meantime is kept.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    outdated = temporary.with_name(f"{temporary.name}-outdated")
    lock = FileLock(temporary / LOCK_FILE)
    lock.acquire()
    try:
        yield temporary
        temporary.chmod(0o755)
        if replace and folder.exists():
            folder.rename(outdated)
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        lock.release()
        (folder / LOCK_FILE).unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(outdated, ignore_errors=True)


def store_folders() -> list[Path]:
    """Return the folder of each kind of artefact."""
    return [store_root() / kind for kind in FORMAT]


def remove_unfinished(parent: Path) -> None:
    """Remove half-written folders that killed processes left in `parent`.

    A folder whose writer still runs is locked and stays, and so does a folder younger than
    `GRACE_SECONDS`.
    """
    for folder in parent.glob(".*/"):
        with suppress(OSError, Timeout):  # renamed in the meantime, or still being written
            if time.time() - folder.stat().st_mtime > GRACE_SECONDS:
                with FileLock(folder / LOCK_FILE, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file so that it is never half-written."""
    with atomic_file(path) as temporary:
        temporary.write_text(text)
