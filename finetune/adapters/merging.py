"""Merge LoRA into the weights that it adapts: W + scale B A (Hu et al. 2021, arXiv 2106.09685).

The scale is alpha / r, or alpha / sqrt(r) with rsLoRA. `nn.Linear` stores W as (out, in); `Conv1D`
(in, out) and `nn.Embedding` (tokens, width) get the transpose of B A.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

Shape = tuple[int, ...]

_TENSOR = re.compile(
    r"(?:base_model\.model\.)?(?P<module>.+)\."
    r"(?P<part>lora_[AB]\.weight|lora_embedding_[AB]|base_layer\.weight)"
)
_LINEAR = ("lora_A.weight", "lora_B.weight")
_EMBEDDING = ("lora_embedding_A", "lora_embedding_B")
_BASE = "base_layer.weight"
"""peft also stores the full weights of an adapted embedding if it knows the embedding's name."""

_SUPPORTED_SETTINGS = frozenset(
    "r lora_alpha use_rslora rank_pattern alpha_pattern target_modules exclude_modules "
    "layers_to_transform layers_pattern fan_in_fan_out lora_dropout task_type peft_type "
    "peft_version auto_mapping base_model_name_or_path revision inference_mode "
    "megatron_config megatron_core loftq_config runtime_config init_lora_weights".split()
)
"""Settings that merging respects, or that do not change a trained adapter."""
_PLAIN_INITIALISATIONS = (True, False, "gaussian", "orthogonal")
"""Any other initialisation changes the base's own weights as well."""


@dataclass(frozen=True)
class MergedLayer:
    """A module that an adapter changes.

    Attributes:
        module: its name in the model.
        a: name of the tensor A in the adapter's file.
        b: name of the tensor B in the adapter's file.
        scale: of B A.
        base: name of the tensor that replaces the module's own weights, if the adapter has one.
    """

    module: str
    a: str
    b: str
    scale: float
    base: str | None


def adapted_modules(tensors: Iterable[str]) -> list[str]:
    """Return the names of the base's modules that an adapter changes, given its tensors' names."""
    matches = (_TENSOR.fullmatch(name) for name in tensors)
    return sorted({match["module"] for match in matches if match})


def check_mergeable(label: str, settings: LoraConfig) -> None:
    """Check that an adapter is plain LoRA.

    Args:
        label: what an error calls the adapter.
        settings: of the adapter.

    Raises:
        ValueError: naming the first setting that is not plain.
    """
    plain = LoraConfig()
    for name, value in vars(settings).items():
        default = getattr(plain, name, None)
        if name not in _SUPPORTED_SETTINGS and value != default and (value or default):
            raise ValueError(
                f"{label} must be merged, which is not supported with {name} = {value!r}; "
                "plain LoRA is, with rank_pattern, alpha_pattern and use_rslora"
            )
    if settings.init_lora_weights not in _PLAIN_INITIALISATIONS:
        raise ValueError(
            f"{label} must be merged, which is not supported with init_lora_weights = "
            f"{settings.init_lora_weights!r}: it changes the base's weights too"
        )


def merged_layers(
    label: str, model: nn.Module, settings: LoraConfig, shapes: Mapping[str, Shape]
) -> list[MergedLayer]:
    """Match every tensor of an adapter to a module of the model, which may be on the meta device.

    Args:
        label: what an error calls the adapter.
        model: the base, without an adapter.
        settings: of the adapter.
        shapes: of the adapter's tensors, by name.

    Raises:
        ValueError: one line that begins with `label`; if a tensor is of an unknown kind, matches no
            module or has the wrong shape, if A or B is missing, or if a module that the settings
            name has no tensors.
    """
    modules = dict(model.named_modules())
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for name in shapes:
        match = _TENSOR.fullmatch(name)
        if match is None:
            raise ValueError(f"{label}: tensor {name!r} is not a LoRA tensor that can be merged")
        if match["module"] not in modules:
            raise ValueError(f"{label}: {type(model).__name__} has no module for tensor {name!r}")
        parts[match["module"]][match["part"]] = name
    for name in modules if settings.target_modules else ():
        if name not in parts and check_target_module_exists(settings, name):
            raise ValueError(f"{label} has no tensors for {name!r}, which its settings name")
    return [_layer(label, name, modules[name], settings, parts[name], shapes) for name in parts]


def merge(model: nn.Module, layers: Iterable[MergedLayer], tensor: Callable[[str], Tensor]) -> None:
    """Merge an adapter into the model's weights, in place; sums are computed in float32 or better.

    A module gets weights of its own, so a head that is tied to an adapted embedding keeps its
    weights. If the adapter replaces the embedding's weights, the head follows, as in peft.

    Args:
        model: the base.
        layers: as from `merged_layers`.
        tensor: returns a tensor of the adapter by its name.

    Raises:
        ValueError: if weights are quantised or offloaded.
    """
    modules = dict(model.named_modules())
    config: Any = getattr(model, "config", None)
    for layer in layers:
        module: Any = modules[layer.module]
        weight = module.weight
        if not weight.is_floating_point():
            raise ValueError(f"{layer.module}: an adapter cannot be merged into quantised weights")
        if weight.is_meta:
            raise ValueError(
                f"{layer.module}: an adapter cannot be merged into weights that `device_map` keeps "
                "off the device; leave device_map out, or take a device that holds the model"
            )
        exact = torch.promote_types(weight.dtype, torch.float32)
        if layer.base is not None:
            weight.detach().copy_(tensor(layer.base))
        a, b = (tensor(name).to(weight.device, exact) for name in (layer.a, layer.b))
        change = layer.scale * (b @ a)
        change = change if isinstance(module, nn.Linear) else change.T
        merged = (weight.detach().to(exact) + change).to(weight.dtype)
        module.weight = nn.Parameter(merged, requires_grad=weight.requires_grad)
        if config is not None and isinstance(module, nn.Embedding):
            config.tie_word_embeddings = False


def _layer(
    label: str,
    name: str,
    module: nn.Module,
    settings: LoraConfig,
    parts: Mapping[str, str],
    shapes: Mapping[str, Shape],
) -> MergedLayer:
    a_and_b = _EMBEDDING if isinstance(module, nn.Embedding) else _LINEAR
    if not isinstance(module, nn.Linear | Conv1D | nn.Embedding):
        raise ValueError(
            f"{label}: {name!r} is {type(module).__name__}; an adapter can be merged into Linear, "
            "Conv1D and Embedding"
        )
    for part in parts:
        if part not in (*a_and_b, _BASE):
            raise ValueError(f"{label}: tensor {parts[part]!r} is not for {type(module).__name__}")
    for part in a_and_b:
        if part not in parts:
            raise ValueError(f"{label}: {name!r} has no {part}")
    rank = _module_value(settings.rank_pattern, name, settings.r)
    alpha = _module_value(settings.alpha_pattern, name, settings.lora_alpha)
    weight = tuple(module.weight.shape)
    outs, ins = weight if isinstance(module, nn.Linear) else weight[::-1]
    expected = dict(zip(a_and_b, ((rank, ins), (outs, rank)), strict=True)) | {_BASE: weight}
    for part, tensor in parts.items():
        if shapes[tensor] != expected[part]:
            raise ValueError(
                f"{label}: tensor {tensor!r} has the shape {shapes[tensor]}; this model needs "
                f"{expected[part]} at rank {rank}"
            )
    scale = alpha / (math.sqrt(rank) if settings.use_rslora else rank)
    return MergedLayer(name, parts[a_and_b[0]], parts[a_and_b[1]], scale, parts.get(_BASE))


def _module_value(pattern: Mapping[str, Any] | None, module: str, default: float) -> Any:
    """Return a setting for one module; the keys of peft's patterns match the end of its path."""
    values = pattern or {}
    return values.get(get_pattern_key(list(values), module), default)
