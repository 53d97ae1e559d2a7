"""Which modules of a model LoRA adapts, and which it cannot train."""

from collections.abc import Iterable

from torch import nn
from transformers.pytorch_utils import Conv1D

from finetune.architectures.blocks import _config, _refuse, block_list, is_mamba_mixer, unwrap

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


def bypassed_modules(model: nn.Module, names: Iterable[str]) -> list[str]:
    """Which of these modules an adapter cannot stay on: it has to be merged into their weights.

    peft refuses LoRA on them, or the kernels of a Mamba mixer read their weights past it.
    """
    dead = untrainable_modules(model)
    return [name for name in names if name.rpartition(".")[2] in dead]
