"""Adapters that others made: found, held against their base, and put on it, kept or merged.

An adapter is a folder or a hub repository in peft's format, its weights in safetensors; pickles
are never read. Wherever peft takes it, it stays an adapter. peft refuses LoRA on some modules of
state-space models, and their kernels read others past it, so an adapter that sits on one of these
is merged whole: W + scale B A.
"""

import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel
from peft.utils import set_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from torch import nn

from finetune.adapters.merging import (
    Shape,
    adapted_modules,
    merge,
    merged_layers,
    require_mergeable,
)
from finetune.architectures.lora_targets import bypassed_modules
from finetune.hub.client import hub_file, is_hub_id, one_line

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"

_NOT_IN_MODULES = ("alora_invocation_tokens", "layer_replication")
"""Settings that do more than change modules where they stand: models are read block by block."""


def adapter_folder(adapter: Path | str) -> Path:
    """The folder that holds an adapter: a local one, or the cached copy of `org/name[@revision]`.

    Raises:
        ValueError: one line, if there is no such adapter, or its weights are not in safetensors.
    """
    config = _file(adapter, ADAPTER_CONFIG)
    if config is None:
        raise ValueError(
            f"adapter {str(adapter)!r} has no {ADAPTER_CONFIG}, so it is none of peft's"
        )
    if Path(adapter).is_dir():
        weights = _file(adapter, ADAPTER_WEIGHTS)
    else:  # of the same commit, which names the folder in the client's cache
        weights = _file(f"{str(adapter).partition('@')[0]}@{config.parent.name}", ADAPTER_WEIGHTS)
    if weights is None:
        raise ValueError(
            f"adapter {str(adapter)!r} has no {ADAPTER_WEIGHTS}; weights in a pickle "
            "(adapter_model.bin) are never loaded, since that can run code: convert them"
        )
    return config.parent


def holds_adapter(source: str) -> bool:
    """Return whether a local folder or a hub repository is an adapter rather than a model."""
    try:
        return _file(source, ADAPTER_CONFIG) is not None
    except ValueError:
        return False


def adapter_base(adapter: Path | str) -> tuple[str | None, str | None]:
    """The name and the revision of the base that an adapter says it was made for.

    Raises:
        ValueError: as `adapter_folder`, or if its settings cannot be read.
    """
    settings = _settings(adapter)
    return settings.base_model_name_or_path, settings.revision


def check_fit(skeleton: nn.Module, adapter: Path | str) -> None:
    """Find out from names and shapes alone whether an adapter is one for this model.

    `skeleton` is the model on the meta device, without any adapter; it may be changed.

    Raises:
        ValueError: one line; if the adapter cannot be read or is not LoRA of a kind that is
            supported, if a tensor of it has no place in the model or another shape there, or if
            one that its settings ask for is missing.
    """
    settings, shapes = _settings(adapter), _shapes(adapter)
    what = f"adapter {str(adapter)!r}"
    if merges(skeleton, shapes):
        require_mergeable(what, settings)
        merged_layers(what, skeleton, settings, shapes)
    else:
        _check_kept(what, skeleton, settings, shapes)


def put_on(model: nn.Module, adapter: Path | str) -> nn.Module:
    """Return the model with an adapter that `check_fit` found to be one for it.

    It is a `PeftModel` where the adapter stays one, else the model itself, its weights changed.
    """
    folder = adapter_folder(adapter)
    shapes = _shapes(adapter)
    if not merges(model, shapes):
        return PeftModel.from_pretrained(model, folder)
    layers = merged_layers(f"adapter {str(adapter)!r}", model, _settings(adapter), shapes)
    with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as weights:
        merge(model, layers, weights.get_tensor)
    return model


def merges(model: nn.Module, tensors: Iterable[str]) -> bool:
    """Return whether an adapter with these tensors has to be merged into this model."""
    return bool(bypassed_modules(model, adapted_modules(tensors)))


def _check_kept(
    what: str, skeleton: nn.Module, settings: LoraConfig, shapes: Mapping[str, Shape]
) -> None:
    """Let peft itself put the adapter on the skeleton, and hear what it has to say."""
    settings.init_lora_weights = True  # some ways to begin read the weights, which are not there
    try:
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            model = PeftModel(skeleton, settings, low_cpu_mem_usage=True)
            tensors = {name: torch.empty(shape) for name, shape in shapes.items()}
            result: Any = set_peft_model_state_dict(model, tensors, low_cpu_mem_usage=True)
    except RuntimeError as error:  # from PyTorch: a title, then a line for each wrong shape
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{what} does not fit this model: {reason}") from error
    except Exception as error:  # settings of others, which peft takes as they are
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        reason = " ".join(str(error).split())
        raise ValueError(f"{what} does not fit this model: {kind}{reason}") from error
    if result.unexpected_keys:
        raise ValueError(
            f"{what}: the model has no place for its tensor {result.unexpected_keys[0]!r}"
        )
    if settings.bias != "none" and not any(name.endswith(".bias") for name in shapes):
        raise ValueError(f"{what}: bias = {settings.bias!r}, and there is no bias in its file")
    missing = [name for name in result.missing_keys if ".lora_" in name]
    if missing:
        raise ValueError(f"{what} lacks the tensor {missing[0]!r}, which its settings ask for")


def _settings(adapter: Path | str) -> LoraConfig:
    file, what = adapter_folder(adapter) / ADAPTER_CONFIG, f"adapter {str(adapter)!r}"
    content = one_line(f"{what}: {ADAPTER_CONFIG}", lambda: json.loads(file.read_text()))
    kind = content.get("peft_type") if isinstance(content, dict) else None
    if kind != "LORA":
        raise ValueError(f"{what}: peft_type = {kind!r}; only 'LORA' is supported")
    for setting in _NOT_IN_MODULES:
        if content.get(setting):
            raise ValueError(f"{what}: {setting} is set, which is not supported")
    try:
        settings = PeftConfig.from_pretrained(str(file.parent))
    except Exception as error:  # settings of others, which peft takes as they are
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(f"{what}: {ADAPTER_CONFIG}: {reason}") from error
    assert isinstance(settings, LoraConfig)
    if settings.task_type not in (None, "CAUSAL_LM"):
        kind = settings.task_type
        raise ValueError(f"{what}: task_type = {kind!r}; only 'CAUSAL_LM' is supported")
    if not isinstance(settings.r, int) or settings.r < 1:
        raise ValueError(f"{what}: r = {settings.r!r}; give a whole number")
    if not isinstance(settings.lora_alpha, int | float):
        raise ValueError(f"{what}: lora_alpha = {settings.lora_alpha!r}; give a number")
    return settings


def _shapes(adapter: Path | str) -> dict[str, Shape]:
    """The shape of every tensor, from the file's header: no weight is loaded."""
    file = adapter_folder(adapter) / ADAPTER_WEIGHTS
    try:
        with safe_open(file, framework="pt") as weights:
            return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"adapter {str(adapter)!r}: {file.name} cannot be read: {error}"
        ) from error


def _file(adapter: Path | str, name: str) -> Path | None:
    """A file of a folder or a hub repository; None if it has none of that name."""
    folder = Path(adapter)
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    if is_hub_id(str(adapter)):
        return hub_file(str(adapter), name)
    raise ValueError(f"adapter {str(adapter)!r} is neither a folder nor a hub id (org/name)")
