"""Content-addressed artefacts: computed once, shared by all runs, never half-written.

    <store>/{data,adapters,states,fits}/<hash>/

The hash is of all that determines an artefact and of nothing else. An artefact is written under a
temporary name and renamed, so a killed run leaves either the whole of it or nothing that is read.
`$QUIRKY_HOME` names the store; the default is ~/.cache/quirky.
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
FORMAT: dict[Kind, int] = {"data": 2, "adapters": 2, "states": 1, "fits": 5}
"""Raised whenever the layout or the meaning of a kind changes; part of its hash."""


WRITING = ".writing"
"""In a folder that is being written: locked by who writes it."""
YOUNG = 60.0
"""Seconds."""


def store_root() -> Path:
    """Return the folder of the store."""
    return Path(os.environ.get("QUIRKY_HOME") or Path.home() / ".cache" / "quirky")


def content_hash(content: object) -> str:
    """Return 32 hex characters of a JSON-serialisable description; the order of keys is nothing."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def artefact(kind: Kind, key: Mapping[str, object], make: Callable[[Path], None]) -> Path:
    """Return the artefact's folder; `make(folder)` fills it if it is not there yet.

    The key is kept beside the content as `key.json`. Whatever `make` raises leaves nothing behind.
    """
    described = {"kind": kind, "format": FORMAT[kind], **key}
    folder = store_root() / kind / content_hash(described)
    if not folder.exists():
        with written_whole(folder, replace=False) as temporary:
            make(temporary)
            (temporary / "key.json").write_text(json.dumps(described, indent=1, default=str))
    return folder


def require_room(folder: Path) -> None:
    """Make sure that a folder can be written and that nothing is in it.

    Raises:
        ValueError: if something is.
        OSError: if it cannot be written.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"{folder} is there already; give a new or an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder.parent):
        pass


@contextmanager
def written_whole(folder: Path, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `folder` when the block ends well.

    With `replace=False` a folder that another process wrote in the meantime stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    outdated = temporary.with_name(f"{temporary.name}-outdated")
    lock = FileLock(temporary / WRITING)
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
        (folder / WRITING).unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(outdated, ignore_errors=True)


def store_folders() -> list[Path]:
    """Return the folder of each kind of artefact."""
    return [store_root() / kind for kind in FORMAT]


def sweep(parent: Path) -> None:
    """Remove what killed processes left half-written among artefacts.

    A living process holds a lock on the folder that it writes; one so young that its writer may
    not have locked it yet is left alone.
    """
    for folder in parent.glob(".*/"):
        with suppress(OSError, Timeout):  # renamed in the meantime, or being written
            if time.time() - folder.stat().st_mtime > YOUNG:
                with FileLock(folder / WRITING, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
