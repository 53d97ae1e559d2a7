"""Hashes of the bytes that determine what a model or an adapter computes."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from finetune.adapters.loading import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    adapter_folder,
)
from finetune.hub.checkpoints import resolve_commit
from finetune.models.source import model_source

_DETERMINES_STATES = (
    "config.json",
    "*.safetensors",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*tokens*.json",
    "chat_template*",
    "*.model",
)


def model_fingerprint(name: str, revision: str | None = None) -> str:
    """What determines a model's states: a hash of its files, or the commit of a hub model.

    For an embedded base or a local folder, the sha256 over the bytes of weights, config and
    tokenizer, wherever the folder lies. For a hub id, the commit that `revision` stands for now,
    or in the cache when offline.
    """
    source = model_source(name)
    if isinstance(source, Path):
        files = {file for pattern in _DETERMINES_STATES for file in source.glob(pattern)}
        return _hash_files(files)
    return resolve_commit(source, revision)


def adapter_fingerprint(path: Path | str) -> str:
    """The sha256 over an adapter's weights and settings, wherever it and its base lie."""
    folder = adapter_folder(path)
    config = json.loads((folder / ADAPTER_CONFIG).read_text())
    config.pop("base_model_name_or_path", None)
    # peft writes sets of module names as lists, in an order that changes from process to process.
    settings = {k: sorted(v, key=str) if isinstance(v, list) else v for k, v in config.items()}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(_hash_files([folder / ADAPTER_WEIGHTS]).encode())
    return digest.hexdigest()


def _hash_files(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        now = file.stat()
        content = _content_hash(file, now.st_size, now.st_mtime_ns)
        digest.update(f"{file.name} {content}\n".encode())
    return digest.hexdigest()


@cache
def _content_hash(file: Path, size: int, modified_ns: int) -> str:
    """Read a file once a process, unless its size or time of change says that it is another."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
