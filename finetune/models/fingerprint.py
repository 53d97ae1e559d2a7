"""Fingerprints: hashes of the bytes that determine what a model or an adapter computes."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from finetune.adapters.loading import ADAPTER_CONFIG, ADAPTER_WEIGHTS, adapter_folder
from finetune.hub.checkpoints import resolve_commit
from finetune.models.source import model_source
from quirky.sources.hashing import hash_file

_MODEL_FILES = (
    "config.json",
    "*.safetensors",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*tokens*.json",
    "chat_template*",
    "*.model",
)
"""Files that determine a model's hidden states: weights, config and tokenizer."""


def model_fingerprint(name: str, revision: str | None = None) -> str:
    """Return what identifies a model: the commit of a hub model, or a hash of a local one's files.

    The hash is the sha256 over weights, config and tokenizer; the folder's path does not affect it.
    For a hub model it is the commit that `revision` points to now, or in the cache if the hub
    cannot be reached.

    Raises:
        ValueError: one line; as `model_source` and `finetune.hub.resolve_commit`.
    """
    source = model_source(name)
    if isinstance(source, Path):
        return _hash_files({file for pattern in _MODEL_FILES for file in source.glob(pattern)})
    return resolve_commit(source, revision)


def adapter_fingerprint(adapter: Path | str) -> str:
    """Return the sha256 over an adapter's weights and settings.

    Its own path and that of its base do not affect it.

    Raises:
        ValueError: as `finetune.adapters.adapter_folder`.
    """
    folder = adapter_folder(adapter)
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
        digest.update(f"{file.name} {hash_file(file)}\n".encode())
    return digest.hexdigest()
