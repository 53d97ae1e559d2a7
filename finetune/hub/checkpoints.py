"""What is known of a hub model before a byte of its weights is downloaded.

Only listings are read here: from the hub where it can be reached, from the cache where it cannot or
where `HF_HUB_OFFLINE` says not to ask.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from huggingface_hub import (
    HfApi,
    constants,
    is_offline_mode,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from finetune.hub.client import TIMEOUT, hub_answers
from finetune.hub.resources import free_disk, shown_bytes

_COMMIT = re.compile(r"[0-9a-f]{40}")
_WHOLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class UnreachableError(ValueError):
    """The hub cannot be asked about a model, and the cache does not hold it."""


@dataclass(frozen=True)
class Checkpoint:
    """A hub model at one commit.

    Attributes:
        commit: 40 hex digits.
        files: names and bytes of the files at the top of the repository, or of those in the cache.
        cached: the folder of the commit in the cache, if the hub could not be asked.
    """

    name: str
    commit: str
    files: Mapping[str, int]
    cached: Path | None = None


def resolve_commit(name: str, revision: str | None = None) -> str:
    """The commit that a branch or a tag of a hub model stands for; a commit stands for itself.

    Raises:
        ValueError: as `resolve_checkpoint`.
    """
    if revision is not None and _COMMIT.fullmatch(revision):
        return revision
    return resolve_checkpoint(name, revision).commit


@cache
def resolve_checkpoint(name: str, revision: str | None = None) -> Checkpoint:
    """What the hub, or the cache, says of a model; asked once a process.

    Raises:
        UnreachableError: if the hub cannot be reached, or must not be, and nothing is cached.
        ValueError: in one line, if there is no such model or revision, or its licence is yet to be
            accepted.
    """
    if not hub_answers():
        return _in_cache(name, revision)
    api = HfApi()
    try:
        info = api.model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT)
        if info.gated:
            api.auth_check(name)
    except GatedRepoError:
        raise ValueError(
            f"model {name!r} is gated: accept its licence at {constants.ENDPOINT}/{name}, then log "
            "in with `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise ValueError(
            f"model {name!r} is not on the hub; check the id (org/name), or, if it is private, log "
            "in with `hf auth login`"
        ) from None
    except RevisionNotFoundError:
        raise ValueError(
            f"model {name!r} has no revision {revision!r}; give a branch, a tag or a commit"
        ) from None
    except (HTTPError, OSError) as error:
        _require_unreachable(name, error)
        return _in_cache(name, revision)
    if not info.sha:
        raise ValueError(f"model {name!r}: the hub does not say at which commit it is")
    files = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    return Checkpoint(
        name, info.sha, {file: size for file, size in files.items() if "/" not in file}
    )


def _require_unreachable(name: str, error: Exception) -> None:
    """Let only what a later attempt may mend pass for an unreachable hub."""
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 500
    if status < 500 and status not in (408, 429):
        told = str(error).strip().splitlines()[0]
        raise ValueError(f"model {name!r}: the hub refuses to answer: {told}") from error


def _in_cache(name: str, revision: str | None) -> Checkpoint:
    config = try_to_load_from_cache(name, "config.json", revision=revision)
    if not isinstance(config, str):
        why = "HF_HUB_OFFLINE is set" if is_offline_mode() else "the hub cannot be reached"
        at = f" at revision {revision!r}" if revision else ""
        raise UnreachableError(
            f"model {name!r}: {why}, and the cache ({constants.HF_HUB_CACHE}) does not hold it{at}"
        )
    folder = Path(config).parent
    files = {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}
    return Checkpoint(name, folder.name, files, folder)


def weight_files(name: str, files: Mapping[str, int]) -> dict[str, int]:
    """The files among those of a model that its weights are loaded from, with their bytes.

    Raises:
        ValueError: if there are none in the safetensors format.
    """
    if _WHOLE in files:
        return {_WHOLE: files[_WHOLE]}
    shards = {file: size for file, size in files.items() if _SHARD.fullmatch(file)}
    if shards and _INDEX in files:
        return shards
    pickles = sorted(file for file in files if file.endswith(_PICKLES))
    if pickles:
        raise ValueError(
            f"model {name!r} has its weights only as pickles ({pickles[0]}), which can run code "
            "when they are loaded and are never read; convert them to safetensors (load them "
            "where you trust them and save_pretrained), or name a revision that has them"
        )
    raise ValueError(f"model {name!r} has no weights: no {_WHOLE} and no {_INDEX}")


def check_local_weights(name: str, folder: Path) -> int:
    """Bytes of the weights in a folder.

    Raises:
        ValueError: naming what is missing, as `weight_files`.
    """
    files = {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}
    weights = weight_files(name, files)
    _check_shards(name, folder, weights)
    return sum(weights.values())


def check_hub_weights(names: Iterable[tuple[str, str | None]]) -> int:
    """Bytes that the weights of hub models, (name, revision) each, have still to be downloaded.

    Raises:
        ValueError: in one line, if weights are missing, are pickles, or do not fit on the disk that
            holds the cache; as `resolve_checkpoint`.
    """
    missing: dict[str, int] = {}
    for name, revision in names:
        found = resolve_checkpoint(name, revision)
        weights = weight_files(name, found.files) if found.cached is None else _kept(found)
        missing[name] = sum(size for file, size in weights.items() if not _is_cached(found, file))
    total, free = sum(missing.values()), free_disk()
    if total > free:
        of = ", ".join(f"{name} {shown_bytes(size)}" for name, size in missing.items() if size)
        raise ValueError(
            f"weights to download take {shown_bytes(total)} ({of}), and the disk of the cache "
            f"({constants.HF_HUB_CACHE}) has {shown_bytes(free)} free; make room, or set HF_HOME "
            "to a folder on a larger disk"
        )
    return total


def download_bytes(name: str, revision: str | None) -> int | None:
    """Bytes of a hub model's weights that are not in the cache yet; None where nobody says."""
    try:
        found = resolve_checkpoint(name, revision)
        weights = weight_files(name, found.files)
    except ValueError:
        return None
    return sum(size for file, size in weights.items() if not _is_cached(found, file))


def _kept(found: Checkpoint) -> dict[str, int]:
    """The weights of a model that must be in the cache, all of them."""
    assert found.cached is not None
    try:
        weights = weight_files(found.name, found.files)
    except ValueError:
        if any(file.endswith(_PICKLES) for file in found.files):
            raise
        _refuse_incomplete(found.name, _WHOLE)
    _check_shards(found.name, found.cached, weights)
    return weights


def _check_shards(name: str, folder: Path, weights: Mapping[str, int]) -> None:
    """Make sure that every file which the index names is there."""
    if _WHOLE in weights:
        return
    named = json.loads((folder / _INDEX).read_text()).get("weight_map", {})
    for file in sorted(set(named.values()) - set(weights)):
        _refuse_incomplete(name, file)


def _refuse_incomplete(name: str, file: str) -> NoReturn:
    raise ValueError(
        f"model {name!r}: its weights are not all there ({file} is missing); download them where "
        "the hub can be reached"
    )


def _is_cached(found: Checkpoint, file: str) -> bool:
    return found.cached is not None or isinstance(
        try_to_load_from_cache(found.name, file, revision=found.commit), str
    )
