"""LoRA merged into the weights that it changes: W + scale B A (Hu et al. 2021, arXiv 2106.09685).

The scale is alpha / r, or alpha / sqrt(r) (rsLoRA). `nn.Linear` keeps W as (out, in); the weights
of `Conv1D` (in, out) and `nn.Embedding` (tokens, width) get the transpose of B A.
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
"""peft stores the weights of an adapted embedding whole where its name is one that it knows."""

_MERGED_RIGHT = frozenset(
    "r lora_alpha use_rslora rank_pattern alpha_pattern target_modules exclude_modules "
    "layers_to_transform layers_pattern fan_in_fan_out lora_dropout task_type peft_type "
    "peft_version auto_mapping base_model_name_or_path revision inference_mode "
    "megatron_config megatron_core loftq_config runtime_config init_lora_weights".split()
)
"""Settings that are heeded here, or that change nothing in a trained adapter."""
_PLAIN_BEGINNINGS = (True, False, "gaussian", "orthogonal")
"""Any other way to begin changes the base's own weights as well."""


@dataclass(frozen=True)
class MergedLayer:
    """A module that an adapter changes: the names of the tensors in its file, and the scale."""

    module: str
    a: str
    b: str
    scale: float
    base: str | None
    """The tensor that takes the place of the module's own weights, where the adapter brings one."""


def adapted_modules(tensors: Iterable[str]) -> list[str]:
    """Names of the modules of the base that an adapter with these tensors changes."""
    found = (_TENSOR.fullmatch(name) for name in tensors)
    return sorted({match["module"] for match in found if match})


def require_mergeable(what: str, settings: LoraConfig) -> None:
    """Make sure that an adapter is plain LoRA.

    Raises:
        ValueError: naming the first setting that is not.
    """
    plain = LoraConfig()
    for name, value in vars(settings).items():
        default = getattr(plain, name, None)
        if name not in _MERGED_RIGHT and value != default and (value or default):
            raise ValueError(
                f"{what} has to be merged, which is not supported with {name} = {value!r}; "
                "plain LoRA is, with rank_pattern, alpha_pattern and use_rslora"
            )
    if settings.init_lora_weights not in _PLAIN_BEGINNINGS:
        raise ValueError(
            f"{what} has to be merged, which is not supported with init_lora_weights = "
            f"{settings.init_lora_weights!r}: it changes the base's weights too"
        )


def merged_layers(
    what: str, model: nn.Module, settings: LoraConfig, shapes: Mapping[str, Shape]
) -> list[MergedLayer]:
    """Find a place in the model for every tensor of an adapter; the model may be on meta.

    Raises:
        ValueError: one line that begins with `what`; if a tensor is of an unknown kind, matches no
            module or has another shape than it, if a half is missing, or if a module that the
            settings name has none.
    """
    modules = dict(model.named_modules())
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for name in shapes:
        match = _TENSOR.fullmatch(name)
        if match is None:
            raise ValueError(f"{what}: tensor {name!r} is no half of LoRA that could be merged")
        if match["module"] not in modules:
            raise ValueError(f"{what}: {type(model).__name__} has no module for tensor {name!r}")
        parts[match["module"]][match["part"]] = name
    for name in modules if settings.target_modules else ():
        if name not in parts and check_target_module_exists(settings, name):
            raise ValueError(f"{what} has no tensors for {name!r}, which its settings name")
    return [_layer(what, name, modules[name], settings, parts[name], shapes) for name in parts]


def merge(model: nn.Module, layers: Iterable[MergedLayer], tensor: Callable[[str], Tensor]) -> None:
    """Change the model's weights in place; the sums are taken in float32 at least.

    A module gets weights of its own, so that a head tied to a changed embedding does not change
    with it. It does follow the embedding that an adapter brings whole, as peft has it.

    Raises:
        ValueError: if weights are quantised, or kept away from the device until they are needed.
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
    what: str,
    name: str,
    module: nn.Module,
    settings: LoraConfig,
    parts: Mapping[str, str],
    shapes: Mapping[str, Shape],
) -> MergedLayer:
    halves = _EMBEDDING if isinstance(module, nn.Embedding) else _LINEAR
    if not isinstance(module, nn.Linear | Conv1D | nn.Embedding):
        raise ValueError(
            f"{what}: {name!r} is {type(module).__name__}; an adapter can be merged into Linear, "
            "Conv1D and Embedding"
        )
    for part in parts:
        if part not in (*halves, _BASE):
            raise ValueError(f"{what}: tensor {parts[part]!r} is not for {type(module).__name__}")
    for part in halves:
        if part not in parts:
            raise ValueError(f"{what}: {name!r} has no {part}")
    rank = _of(settings.rank_pattern, name, settings.r)
    alpha = _of(settings.alpha_pattern, name, settings.lora_alpha)
    weight = tuple(module.weight.shape)
    outs, ins = weight if isinstance(module, nn.Linear) else weight[::-1]
    due = dict(zip(halves, ((rank, ins), (outs, rank)), strict=True)) | {_BASE: weight}
    for part, tensor in parts.items():
        if shapes[tensor] != due[part]:
            raise ValueError(
                f"{what}: tensor {tensor!r} has the shape {shapes[tensor]}; this model needs "
                f"{due[part]} there at rank {rank}"
            )
    scale = alpha / (math.sqrt(rank) if settings.use_rslora else rank)
    return MergedLayer(name, parts[halves[0]], parts[halves[1]], scale, parts.get(_BASE))


def _of(pattern: Mapping[str, Any] | None, module: str, default: float) -> Any:
    """The value for one module: peft's patterns name it by the end of its path."""
    known = pattern or {}
    return known.get(get_pattern_key(list(known), module), default)
