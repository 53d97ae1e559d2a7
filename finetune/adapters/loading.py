"""Load LoRA adapters, whoever published them: read, check against the base, and apply.

An adapter is a folder or a hub repository in peft's format with weights in safetensors; pickles are
never loaded. An adapter stays separate from its base if peft supports it. peft refuses LoRA on some
modules of state-space models, and their kernels bypass others, so an adapter that adapts one of
these is merged as a whole: W + scale B A.
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
    check_mergeable,
    merge,
    merged_layers,
)
from finetune.architectures.lora_targets import bypassed_modules
from finetune.hub.client import hub_file, is_hub_id
from quirky.plugins import first_line, one_line_errors

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"

_UNSUPPORTED = ("alora_invocation_tokens", "layer_replication")
"""Settings that change more than the weights of modules: which tokens, or how many blocks."""


def adapter_folder(adapter: Path | str) -> Path:
    """Return the folder of an adapter: a local one, or the cached copy of `org/name[@revision]`.

    Raises:
        ValueError: one line; if there is no such adapter, or its weights are not in safetensors.
    """
    config = _adapter_file(adapter, ADAPTER_CONFIG)
    if config is None:
        raise ValueError(
            f"adapter {str(adapter)!r} has no {ADAPTER_CONFIG}, so it is not an adapter in peft's "
            "format"
        )
    if Path(adapter).is_dir():
        weights = _adapter_file(adapter, ADAPTER_WEIGHTS)
    else:  # of the same commit, which names the folder in the client's cache
        repository = str(adapter).partition("@")[0]
        weights = _adapter_file(f"{repository}@{config.parent.name}", ADAPTER_WEIGHTS)
    if weights is None:
        raise ValueError(
            f"adapter {str(adapter)!r} has no {ADAPTER_WEIGHTS}; weights in a pickle "
            "(adapter_model.bin) are never loaded, since that can run code: convert them"
        )
    return config.parent


def is_adapter(source: str) -> bool:
    """Return whether a local folder or a hub repository holds an adapter rather than a model."""
    try:
        return _adapter_file(source, ADAPTER_CONFIG) is not None
    except ValueError:
        return False


def adapter_base(adapter: Path | str) -> tuple[str | None, str | None]:
    """Return the name and revision of the base that an adapter was trained on, as it states them.

    Raises:
        ValueError: as `adapter_folder`, or if the adapter's settings cannot be read.
    """
    settings = _read_settings(adapter)
    return settings.base_model_name_or_path, settings.revision


def check_adapter_fits(skeleton: nn.Module, adapter: Path | str) -> None:
    """Check from names and shapes alone that an adapter fits a model.

    Args:
        skeleton: the model on the meta device, without an adapter; it may be changed.
        adapter: a folder or a hub id.

    Raises:
        ValueError: one line; if the adapter cannot be read or is not LoRA of a supported kind, if
            one of its tensors has no module in the model or a different shape, or if a tensor that
            its settings name is missing.
    """
    settings, shapes = _read_settings(adapter), _read_shapes(adapter)
    label = f"adapter {str(adapter)!r}"
    if requires_merging(skeleton, shapes):
        check_mergeable(label, settings)
        merged_layers(label, skeleton, settings, shapes)
    else:
        _check_peft_accepts(label, skeleton, settings, shapes)


def apply_adapter(model: nn.Module, adapter: Path | str) -> nn.Module:
    """Return a model with an adapter that `check_adapter_fits` accepts.

    Returns:
        A `PeftModel` if the adapter stays separate; else the same model, its weights changed.
    """
    folder = adapter_folder(adapter)
    shapes = _read_shapes(adapter)
    if not requires_merging(model, shapes):
        return PeftModel.from_pretrained(model, folder)
    layers = merged_layers(f"adapter {str(adapter)!r}", model, _read_settings(adapter), shapes)
    with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as weights:
        merge(model, layers, weights.get_tensor)
    return model


def requires_merging(model: nn.Module, tensors: Iterable[str]) -> bool:
    """Return whether an adapter must be merged into the model, given its tensors' names."""
    return bool(bypassed_modules(model, adapted_modules(tensors)))


def _check_peft_accepts(
    label: str, skeleton: nn.Module, settings: LoraConfig, shapes: Mapping[str, Shape]
) -> None:
    """Let peft put the adapter on the skeleton, and turn what it reports into one-line errors."""
    settings.init_lora_weights = True  # some initialisations read weights, which are not there
    try:
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")
            model = PeftModel(skeleton, settings, low_cpu_mem_usage=True)
            tensors = {name: torch.empty(shape) for name, shape in shapes.items()}
            result: Any = set_peft_model_state_dict(model, tensors, low_cpu_mem_usage=True)
    except RuntimeError as error:  # from PyTorch: a title, then a line for each wrong shape
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{label} does not fit this model: {reason}") from error
    except Exception as error:  # peft checks few settings, so any error may come up
        raise ValueError(f"{label} does not fit this model: {first_line(error)}") from error
    if result.unexpected_keys:
        raise ValueError(
            f"{label}: the model has no place for its tensor {result.unexpected_keys[0]!r}"
        )
    if settings.bias != "none" and not any(name.endswith(".bias") for name in shapes):
        raise ValueError(f"{label}: bias = {settings.bias!r}, and there is no bias in its file")
    missing = [name for name in result.missing_keys if ".lora_" in name]
    if missing:
        raise ValueError(f"{label} lacks the tensor {missing[0]!r}, which its settings name")


def _read_settings(adapter: Path | str) -> LoraConfig:
    file, label = adapter_folder(adapter) / ADAPTER_CONFIG, f"adapter {str(adapter)!r}"
    with one_line_errors(f"{label}: {ADAPTER_CONFIG}"):
        content = json.loads(file.read_text())
    kind = content.get("peft_type") if isinstance(content, dict) else None
    if kind != "LORA":
        raise ValueError(f"{label}: peft_type = {kind!r}; only 'LORA' is supported")
    for setting in _UNSUPPORTED:
        if content.get(setting):
            raise ValueError(f"{label}: {setting} is set, which is not supported")
    try:
        settings = PeftConfig.from_pretrained(str(file.parent))
    except Exception as error:  # peft checks few settings, so any error may come up
        raise ValueError(f"{label}: {ADAPTER_CONFIG}: {first_line(error)}") from error
    assert isinstance(settings, LoraConfig)
    if settings.task_type not in (None, "CAUSAL_LM"):
        task_type = settings.task_type
        raise ValueError(f"{label}: task_type = {task_type!r}; only 'CAUSAL_LM' is supported")
    if not isinstance(settings.r, int) or settings.r < 1:
        raise ValueError(f"{label}: r = {settings.r!r}; give a whole number of at least 1")
    if not isinstance(settings.lora_alpha, int | float):
        raise ValueError(f"{label}: lora_alpha = {settings.lora_alpha!r}; give a number")
    return settings


def _read_shapes(adapter: Path | str) -> dict[str, Shape]:
    """Return the shape of every tensor, from the header of the file: no weight is loaded."""
    file = adapter_folder(adapter) / ADAPTER_WEIGHTS
    try:
        with safe_open(file, framework="pt") as weights:
            return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"adapter {str(adapter)!r}: {file.name} cannot be read: {error}"
        ) from error


def _adapter_file(adapter: Path | str, name: str) -> Path | None:
    """Return a file of a folder or a hub repository; None if it has no file of that name."""
    folder = Path(adapter)
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    if is_hub_id(str(adapter)):
        return hub_file(str(adapter), name)
    raise ValueError(f"adapter {str(adapter)!r} is neither a folder nor a hub id (org/name)")
