"""Files of the hub, through its own client, and errors that fit on a line."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from huggingface_hub import constants, get_session, hf_hub_download, is_offline_mode
from huggingface_hub.errors import HTTPError, RemoteEntryNotFoundError

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds that the hub may take to answer."""

_AT_REVISION = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def is_hub_id(text: str) -> bool:
    """Return whether a text reads as `org/name` or `org/name@revision`."""
    return _AT_REVISION.fullmatch(text) is not None


@cache
def hub_answers() -> bool:
    """Whether the hub may be asked and can be reached; found out once a process."""
    if is_offline_mode():
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT)
    except (HTTPError, OSError):
        return False
    return True


@cache
def hub_file(hub_id: str, file: str) -> Path | None:
    """The cached copy of a file of `org/name[@revision]`, fetched if need be; None if it has none.

    What is found first holds as long as the process. With `HF_HUB_OFFLINE` only the cache is read.

    Raises:
        ValueError: one line, if the repository cannot be read, or the cache does not hold the file
            and the hub is out of reach.
    """
    found = _AT_REVISION.fullmatch(hub_id)
    if found is None:
        raise ValueError(f"{hub_id!r} is not a hub id: write org/name or org/name@revision")
    repo, revision = found["repo"], found["revision"]
    try:
        return one_line(
            f"{hub_id!r} cannot be read from the hub",
            lambda: Path(
                hf_hub_download(repo, file, revision=revision, local_files_only=not hub_answers())
            ),
        )
    except ValueError as error:
        if isinstance(error.__cause__, RemoteEntryNotFoundError):
            return None
        raise


def one_line(what: str, load: Callable[[], T]) -> T:
    """Run a loader whose errors may fill a page, and keep what they say first.

    Raises:
        ValueError: `what` and the first line of the loader's error, which is its cause.
    """
    try:
        return load()
    except Exception as error:  # files of others, read by libraries that do not foresee them
        first, *rest = str(error).strip().splitlines() or [""]
        reason = " ".join([first, *rest[:1]]) if first.endswith(":") else first
        if not (reason and isinstance(error, OSError | ValueError | ImportError)):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(f"{what}: {' '.join(reason.split())}") from error
