"""All that differs between architectures: where the blocks are and what LoRA may touch."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, NoReturn

from peft import PeftModel
from torch import nn
from transformers import PreTrainedConfig
from transformers.pytorch_utils import Conv1D

from finetune.architectures.scan import SCANNED, CpuScanMixer

_LLAMA_TARGETS = ("gate_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj")

LORA_TARGETS: dict[str, tuple[str, ...]] = {
    "gpt_neox": ("query_key_value", "dense_h_to_4h", "dense_4h_to_h"),
    "llama": _LLAMA_TARGETS,
    "mistral": _LLAMA_TARGETS,
}
"""LoRA targets as published, by `config.model_type`; of any other family they are inferred."""

# The kernels of Mamba's mixers read these weights raw or skip the module in training, so LoRA
# on them is dead, refused by peft, or trained on a CPU and not on a GPU.
_MAMBA_UNTRAINABLE = frozenset({"out_proj", "conv1d", "dt_proj", "x_proj"})


def unwrap(model: nn.Module) -> nn.Module:
    """The model itself where it is wrapped by peft; its LoRA layers stay in place."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def block_list(model: nn.Module) -> nn.ModuleList:
    """The blocks of a causal language model, first to last, found in its module tree.

    They are the one outermost `nn.ModuleList` of length `config.num_hidden_layers`. Works on
    models on the meta device and on models wrapped by peft.

    Raises:
        ValueError: if there is no such list, or more than one.
    """
    model = unwrap(model)
    depth = getattr(_config(model), "num_hidden_layers", None)
    if depth is None:
        _refuse(model, "has no list of blocks: its config has no num_hidden_layers")
    lists = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    }
    outermost = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    if not outermost:
        _refuse(model, f"has no list of blocks of length num_hidden_layers={depth}")
    if len(outermost) > 1:
        found = ", ".join(outermost)
        _refuse(model, f"has several lists of length num_hidden_layers={depth} ({found})")
    return lists[outermost[0]]


def lora_targets(model: nn.Module) -> list[str]:
    """Names of the modules that LoRA adapts in this model, as peft's `target_modules` wants them.

    Families outside `LORA_TARGETS` get every linear layer inside their blocks, less what a Mamba
    mixer cannot train and what decides on a whole expert.

    Raises:
        ValueError: if the model has no usable list of blocks, or no linear layer in it.
    """
    known = LORA_TARGETS.get(_config(unwrap(model)).model_type)
    block_list(model)
    return list(known) if known is not None else trainable_modules(model)


def trainable_modules(model: nn.Module) -> list[str]:
    """Names of the linear layers inside the blocks that LoRA can train in this family.

    Raises:
        ValueError: if the model has no usable list of blocks, or no linear layer in it.
    """
    model = unwrap(model)
    blocks = block_list(model)
    names = {
        name.rpartition(".")[2]
        for name, module in blocks.named_modules()
        if isinstance(module, Conv1D) or (isinstance(module, nn.Linear) and module.out_features > 1)
    }
    # A place in a list is no name: Zamba2 keeps adapters of its own there.
    names = {name for name in names if not name.isdigit()} - untrainable_modules(model)
    if not names:
        _refuse(model, "has no linear layer in its blocks that LoRA could adapt")
    return sorted(names)


def untrainable_modules(model: nn.Module) -> set[str]:
    """Names of modules that Mamba mixers have and LoRA cannot train: none in other families."""
    return {
        name
        for mixer in block_list(unwrap(model)).modules()
        if is_mamba_mixer(mixer)
        for name, _ in mixer.named_children()
    } & _MAMBA_UNTRAINABLE


def is_mamba_mixer(module: nn.Module) -> bool:
    """Return whether this is a mixer of Mamba, Mamba-2, or a hybrid that has such mixers."""
    own = {name for name, _ in module.named_parameters(recurse=False)}
    return {"A_log", "D"} <= own


def code_path(model: nn.Module) -> str:
    """Say which code runs this model, where it lies and with what is installed."""
    model = unwrap(model)
    weight = next(model.parameters())
    device = weight.device.type
    mixers = [module for module in model.modules() if is_mamba_mixer(module)]
    scans = all(isinstance(mixer, CpuScanMixer) for mixer in mixers)
    if mixers and scans and device == "cpu" and weight.dtype in SCANNED:
        return "finetune.architectures.scan (cpu)"
    kernels = [package for package in KERNELS if device == "cuda" and _imports(package)]
    return ", ".join([f"transformers ({device})", *kernels])


KERNELS = ("mamba_ssm", "causal_conv1d", "fla")
"""Packages whose CUDA kernels transformers calls where they can be imported."""


def _imports(package: str) -> bool:
    try:
        import_module(package)
    except Exception:  # whatever a build for another CUDA or another torch may raise
        return False
    return True


def bypassed_modules(model: nn.Module, names: Iterable[str]) -> list[str]:
    """Which of these modules an adapter cannot stay on: it has to be merged into their weights.

    peft refuses LoRA on them, or the kernels of a Mamba mixer read their weights past it.
    """
    dead = untrainable_modules(model)
    return [name for name in names if name.rpartition(".")[2] in dead]


def exact_config(config: PreTrainedConfig) -> PreTrainedConfig:
    """The same config, set so that a model built from it is read and trained exactly.

    Caches are off: Mamba restarts its scan from zero when it meets one. RWKV's rescaling is off:
    it divides weights in place in eval mode, but not those of an adapter.
    """
    config.use_cache = False
    if hasattr(config, "rescale_every"):
        config.rescale_every = 0
    return config


def _config(model: nn.Module) -> Any:
    return getattr(model, "config", None)


def _refuse(model: nn.Module, reason: str) -> NoReturn:
    raise ValueError(f"{type(model).__name__} {reason}")
