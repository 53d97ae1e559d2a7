"""The commit of a data set on the hub, or of its newest copy in the cache of `datasets`."""

from functools import cache
from pathlib import Path

import datasets

from quirky.sources.hub import UnreachableError, hub_answers, is_commit, repository_info


@cache
def resolve_commit(name: str, revision: str | None = None) -> str:
    """Return the commit that a branch or tag of a data set points to; looked up once a process.

    Without the hub it is the newest commit in the cache of `datasets`.

    Raises:
        HubError: if there is no such data set or revision, its licence is not accepted, or the hub
            cannot be reached and the cache does not hold it.
    """
    if revision is not None and revision in _cached_commits(name) and hub_answers():
        return revision
    try:
        return str(repository_info("dataset", name, revision).sha)
    except UnreachableError as error:
        return _newest_cached(name, revision, str(error))


def _newest_cached(name: str, revision: str | None, reason: str) -> str:
    """Return the newest commit in the cache, the only one that `datasets` reads without the hub."""
    commits = _cached_commits(name)
    if not commits:
        raise UnreachableError(f"{reason}, and the cache does not hold it")
    if revision not in (None, commits[0]):
        raise UnreachableError(f"{reason}, and the cache holds {commits[0]}, not {revision!r}")
    return commits[0]


def _cached_commits(name: str) -> list[str]:
    """Return the commits in the cache of `datasets`, the newest first."""
    folder = Path(datasets.config.HF_DATASETS_CACHE) / name.replace("/", "___")
    folders = [path for path in folder.glob("*/*/*") if is_commit(path.name)]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return list(dict.fromkeys(path.name for path in folders))
