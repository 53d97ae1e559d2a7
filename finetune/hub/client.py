"""Files of hub repositories, downloaded through the hub's own client."""

import re
from functools import cache
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import RemoteEntryNotFoundError

from quirky.plugins import one_line_errors
from quirky.sources.hub import hub_answers

_ID_AT_REVISION = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def is_hub_id(text: str) -> bool:
    """Return whether a text has the form `org/name` or `org/name@revision`."""
    return _ID_AT_REVISION.fullmatch(text) is not None


@cache
def hub_file(hub_id: str, file: str) -> Path | None:
    """Return the cached copy of a file of `org/name[@revision]`, downloaded if it is missing.

    The result holds as long as the process. With `HF_HUB_OFFLINE` only the cache is read.

    Returns:
        The path in the cache of the hub's client; None if the repository has no such file.

    Raises:
        ValueError: one line; if the repository cannot be read, or the hub cannot be reached and
            the cache does not hold the file.
    """
    match = _ID_AT_REVISION.fullmatch(hub_id)
    if match is None:
        raise ValueError(f"{hub_id!r} is not a hub id: write org/name or org/name@revision")
    try:
        with one_line_errors(f"{hub_id!r} cannot be read from the hub"):
            path = hf_hub_download(
                match["repository"],
                file,
                revision=match["revision"],
                local_files_only=not hub_answers(),
            )
    except ValueError as error:
        if isinstance(error.__cause__, RemoteEntryNotFoundError):
            return None
        raise
    return Path(path)
