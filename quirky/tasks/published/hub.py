"""Which commit a data set of the hub is held to: the hub is asked once, or else the cache."""

import re
from functools import cache
from pathlib import Path

import datasets
from huggingface_hub import HfApi, constants, is_offline_mode
from huggingface_hub.errors import (
    GatedRepoError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

TIMEOUT = 10.0
"""Seconds that the hub may take to answer."""

_COMMIT = re.compile(r"[0-9a-f]{40}")


class UnreadableError(Exception):
    """A data set of the hub that cannot be had, and why; one line."""


@cache
def resolve_commit(name: str, revision: str | None = None) -> str:
    """Return the commit that a branch or tag of a data set stands for; asked once a process.

    Without a hub it is the newest that `datasets` has in its cache.

    Raises:
        UnreadableError: if there is no such data set or revision, its licence is yet to be
            accepted, or the hub cannot be asked and the cache does not hold it.
    """
    if is_offline_mode():
        return _in_cache(name, revision, "HF_HUB_OFFLINE is set")
    if revision is not None and _COMMIT.fullmatch(revision) and revision in _cached(name):
        return revision
    try:
        info = HfApi().dataset_info(name, revision=revision, timeout=TIMEOUT)
    except GatedRepoError:
        where = f"{constants.ENDPOINT}/datasets/{name}"
        raise UnreadableError(
            f"gated: accept its licence at {where}, then log in with `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise UnreadableError(
            "not on the hub; check the name (org/name), or, if it is private, log in with "
            "`hf auth login`"
        ) from None
    except RevisionNotFoundError:
        raise UnreadableError(
            f"the hub has no revision {revision!r} of it; give a branch, a tag or a commit"
        ) from None
    except (HTTPError, OSError):
        return _in_cache(name, revision, "the hub cannot be reached")
    return str(info.sha)


def _in_cache(name: str, revision: str | None, why: str) -> str:
    found = _cached(name)
    if not found:
        raise UnreadableError(f"{why}, and the cache does not hold it")
    if revision not in (None, found[0]):  # without a hub `datasets` reads the newest it has
        raise UnreadableError(f"{why}, and the cache holds {found[0]}, not {revision!r}")
    return found[0]


def _cached(name: str) -> list[str]:
    """Return the commits that `datasets` has read already, the newest first."""
    folder = Path(datasets.config.HF_DATASETS_CACHE) / name.replace("/", "___")
    found = [path for path in folder.glob("*/*/*") if _COMMIT.fullmatch(path.name)]
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return list(dict.fromkeys(path.name for path in newest))
