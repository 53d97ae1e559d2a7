"""The Hugging Face hub: whether it answers, what it says of a repository, and why it refuses."""

import re
from functools import cache
from typing import Literal

from huggingface_hub import DatasetInfo, HfApi, ModelInfo, constants, get_session, is_offline_mode
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from quirky.plugins.errors import first_line

TIMEOUT = 10.0
"""Seconds that the hub has to answer."""

RepositoryKind = Literal["model", "dataset"]
"""The hub's own words for its kinds of repositories."""

_REPOSITORY_ID = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubError(ValueError):
    """The hub does not answer a question; the message is the reason, on one line."""


class UnreachableError(HubError):
    """The hub cannot be reached, or `HF_HUB_OFFLINE` forbids to ask it."""


class RefusedError(HubError):
    """The hub answers, and would give the same answer again: gated, missing or forbidden."""


def is_repository_id(text: str) -> bool:
    """Return whether a text has the form of a repository id, `org/name`."""
    return _REPOSITORY_ID.fullmatch(text) is not None


def is_commit(revision: str | None) -> bool:
    """Return whether a revision is a full commit hash rather than a branch or a tag."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


@cache
def hub_answers() -> bool:
    """Return whether the hub may be asked and can be reached; tested once a process."""
    if is_offline_mode():
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT)
    except (HTTPError, OSError):
        return False
    return True


def repository_info(
    kind: RepositoryKind, name: str, revision: str | None = None
) -> ModelInfo | DatasetInfo:
    """Return what the hub lists of a repository: its commit and, of a model, its files.

    Raises:
        UnreachableError: if the hub cannot be reached or must not be asked.
        RefusedError: if there is no such repository or revision, or its licence is not accepted.
    """
    if not hub_answers():
        raise UnreachableError(
            "HF_HUB_OFFLINE is set" if is_offline_mode() else "the hub cannot be reached"
        )
    api = HfApi()
    try:
        info: ModelInfo | DatasetInfo
        if kind == "model":
            info = api.model_info(name, revision=revision, timeout=TIMEOUT, files_metadata=True)
        else:
            info = api.dataset_info(name, revision=revision, timeout=TIMEOUT)
        if info.gated:
            api.auth_check(name, repo_type=kind)
    except GatedRepoError:
        page = f"{constants.ENDPOINT}/{'datasets/' if kind == 'dataset' else ''}{name}"
        raise RefusedError(
            f"gated: accept its licence at {page}, then log in with `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise RefusedError(
            "not on the hub; check the id (org/name), or, if it is private, log in with "
            "`hf auth login`"
        ) from None
    except RevisionNotFoundError:
        raise RefusedError(
            f"the hub has no revision {revision!r} of it; give a branch, a tag or a commit"
        ) from None
    except (HTTPError, OSError) as error:
        if _is_permanent(error):
            raise RefusedError(f"the hub refuses to answer: {first_line(error)}") from error
        raise UnreachableError("the hub cannot be reached") from error
    if not info.sha:
        raise RefusedError("the hub does not give its commit")
    return info


def _is_permanent(error: Exception) -> bool:
    """Return whether a later attempt would fail too: not so for timeouts and server errors."""
    if not isinstance(error, HfHubHTTPError):
        return False
    status = error.response.status_code
    return status < 500 and status not in (408, 429)
