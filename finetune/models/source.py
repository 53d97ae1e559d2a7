"""What a model's name stands for: an embedded base, a local folder, or a hub id."""

from pathlib import Path
from typing import Any

from finetune.adapters.loading import ADAPTER_CONFIG
from finetune.hub.checkpoints import resolve_commit
from quirky.plugins import unknown
from quirky.sources.hub import hub_answers, is_repository_id

BASES = Path(__file__).parents[1] / "bases"


def embedded_bases() -> dict[str, Path]:
    """Return the bases that ship with this package, by name, with their folders."""
    return {config.parent.name: config.parent for config in sorted(BASES.glob("*/config.json"))}


def model_source(name: str) -> Path | str:
    """Return the folder of an embedded base or a local model, or a hub id unchanged.

    Raises:
        ValueError: if the name is none of these, with the nearest known name.
    """
    bases = embedded_bases()
    folder = Path(name)
    if name in bases:
        return bases[name]
    if (folder / "config.json").is_file():
        return folder
    if (folder / ADAPTER_CONFIG).is_file():
        raise ValueError(f"folder {name!r} holds an adapter, not a model: name its base as well")
    if folder.is_dir():
        raise ValueError(f"folder {name!r} has no config.json, so it is not a model")
    if is_repository_id(name):
        return name
    raise ValueError(f"{unknown('model', name, bases)}, a local folder, or a hub id (org/name)")


def pretrained_options(source: Path | str, revision: str | None) -> dict[str, Any]:
    """Return the options of `from_pretrained` that hold a hub model to one commit.

    They also restrict it to the cache when the hub does not answer. Empty for a local folder.

    Raises:
        ValueError: as `finetune.hub.resolve_commit`.
    """
    if isinstance(source, Path):
        return {}
    return {"revision": resolve_commit(source, revision), "local_files_only": not hub_answers()}
