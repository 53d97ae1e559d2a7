"""Checkpoints of the hub: which files a model has at which commit, before weights are downloaded.

Only listings are read: from the hub, or from the cache if the hub cannot be reached or
`HF_HUB_OFFLINE` is set.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from huggingface_hub import constants, try_to_load_from_cache

from finetune.hub.resources import format_bytes, free_disk
from quirky.sources.hub import RefusedError, UnreachableError, is_commit, repository_info

_SINGLE_FILE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True)
class Checkpoint:
    """A hub model at one commit.

    Attributes:
        name: the hub id, `org/name`.
        commit: 40 hexadecimal digits.
        files: sizes in bytes of the files at the top of the repository, or of those in the cache,
            by name.
        cache_folder: the folder of the commit in the cache if the hub could not be asked.
    """

    name: str
    commit: str
    files: Mapping[str, int]
    cache_folder: Path | None = None

    def has_cached(self, file: str) -> bool:
        """Return whether a file is in the cache."""
        if self.cache_folder is not None:
            return True
        return isinstance(try_to_load_from_cache(self.name, file, revision=self.commit), str)


def resolve_commit(name: str, revision: str | None = None) -> str:
    """Return the commit that a branch or tag of a hub model points to; a commit is returned as is.

    Raises:
        ValueError: as `resolve_checkpoint`.
    """
    if revision is not None and is_commit(revision):
        return revision
    return resolve_checkpoint(name, revision).commit


@cache
def resolve_checkpoint(name: str, revision: str | None = None) -> Checkpoint:
    """Return the commit and files of a hub model, from the hub or from the cache.

    Looked up once a process.

    Raises:
        UnreachableError: if the hub cannot be reached or must not be asked, and the cache does not
            hold the model.
        ValueError: one line; if there is no such model or revision, or its licence is not accepted.
    """
    try:
        info = repository_info("model", name, revision)
    except UnreachableError as error:
        return _cached_checkpoint(name, revision, str(error))
    except RefusedError as error:
        raise ValueError(f"model {name!r}: {error}") from error
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    return Checkpoint(
        name, str(info.sha), {file: size for file, size in sizes.items() if "/" not in file}
    )


def _cached_checkpoint(name: str, revision: str | None, reason: str) -> Checkpoint:
    config = try_to_load_from_cache(name, "config.json", revision=revision)
    if not isinstance(config, str):
        at_revision = f" at revision {revision!r}" if revision else ""
        raise UnreachableError(
            f"model {name!r}: {reason}, and the cache ({constants.HF_HUB_CACHE}) does not hold it"
            f"{at_revision}"
        )
    folder = Path(config).parent
    return Checkpoint(name, folder.name, _file_sizes(folder), folder)


def weight_files(name: str, files: Mapping[str, int]) -> dict[str, int]:
    """Return the files that a model's weights are loaded from, with their sizes in bytes.

    Args:
        name: what an error calls the model.
        files: all files of the model, with their sizes.

    Raises:
        ValueError: if none of them is in the safetensors format.
    """
    if _SINGLE_FILE in files:
        return {_SINGLE_FILE: files[_SINGLE_FILE]}
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
    raise ValueError(f"model {name!r} has no weights: no {_SINGLE_FILE} and no {_INDEX}")


def check_local_weights(name: str, folder: Path) -> int:
    """Check that a folder holds all weights of a model, and return their size in bytes.

    Raises:
        ValueError: one line; naming the file that is missing, or as `weight_files`.
    """
    weights = weight_files(name, _file_sizes(folder))
    _check_shards(name, folder, weights)
    return sum(weights.values())


def check_hub_weights(models: Iterable[tuple[str, str | None]]) -> int:
    """Check that the weights of hub models can be downloaded, and return how many bytes are.

    Args:
        models: hub id and revision of each.

    Returns:
        The bytes that are not in the cache yet, of all models together.

    Raises:
        ValueError: one line; if weights are missing, are pickles or do not fit on the disk of the
            cache; or as `resolve_checkpoint`.
    """
    sizes: dict[str, int] = {}
    for name, revision in models:
        checkpoint = resolve_checkpoint(name, revision)
        sizes[name] = _missing_bytes(checkpoint, _available_weights(checkpoint))
    total, free = sum(sizes.values()), free_disk()
    if total > free:
        parts = ", ".join(f"{name} {format_bytes(size)}" for name, size in sizes.items() if size)
        raise ValueError(
            f"weights to download take {format_bytes(total)} ({parts}), and the disk of the cache "
            f"({constants.HF_HUB_CACHE}) has {format_bytes(free)} free; make room, or set HF_HOME "
            "to a folder on a larger disk"
        )
    return total


def download_bytes(name: str, revision: str | None) -> int | None:
    """Return the bytes of a hub model's weights that are not in the cache yet.

    None if the hub cannot be reached and the cache does not hold the model, or if it has no weights
    in the safetensors format.
    """
    try:
        checkpoint = resolve_checkpoint(name, revision)
        weights = weight_files(name, checkpoint.files)
    except ValueError:
        return None
    return _missing_bytes(checkpoint, weights)


def _missing_bytes(checkpoint: Checkpoint, weights: Mapping[str, int]) -> int:
    return sum(size for file, size in weights.items() if not checkpoint.has_cached(file))


def _available_weights(checkpoint: Checkpoint) -> dict[str, int]:
    """Return the weights of a checkpoint; if the hub cannot be asked, all must be in the cache."""
    if checkpoint.cache_folder is None:
        return weight_files(checkpoint.name, checkpoint.files)
    try:
        weights = weight_files(checkpoint.name, checkpoint.files)
    except ValueError:
        if any(file.endswith(_PICKLES) for file in checkpoint.files):
            raise
        _refuse_incomplete(checkpoint.name, _SINGLE_FILE)
    _check_shards(checkpoint.name, checkpoint.cache_folder, weights)
    return weights


def _check_shards(name: str, folder: Path, weights: Mapping[str, int]) -> None:
    """Check that every file that the index names is there."""
    if _SINGLE_FILE in weights:
        return
    weight_map = json.loads((folder / _INDEX).read_text()).get("weight_map", {})
    for file in sorted(set(weight_map.values()) - set(weights)):
        _refuse_incomplete(name, file)


def _file_sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}


def _refuse_incomplete(name: str, file: str) -> NoReturn:
    raise ValueError(
        f"model {name!r}: its weights are not all there ({file} is missing); download them where "
        "the hub can be reached"
    )
