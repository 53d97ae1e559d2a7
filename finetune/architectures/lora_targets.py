"""Which modules of a model LoRA adapts, and which it cannot train."""

from collections.abc import Iterable
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from finetune.architectures.blocks import block_list, is_mamba_mixer, unwrap

_LLAMA_TARGETS = ("gate_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj")

LORA_TARGETS: dict[str, tuple[str, ...]] = {
    "gpt_neox": ("query_key_value", "dense_h_to_4h", "dense_4h_to_h"),
    "llama": _LLAMA_TARGETS,
    "mistral": _LLAMA_TARGETS,
}
"""LoRA targets as published, by `config.model_type`; those of other families are inferred."""

# The kernels of Mamba's mixers read these weights directly or skip the module in training, so LoRA
# on them gets no gradient, is refused by peft, or trains on a CPU and not on a GPU.
_MAMBA_UNTRAINABLE = frozenset({"out_proj", "conv1d", "dt_proj", "x_proj"})


def default_targets(model: nn.Module) -> list[str]:
    """Return the names of the modules that LoRA adapts by default, for peft's `target_modules`.

    For families outside `LORA_TARGETS` these are the `trainable_modules`.

    Raises:
        ValueError: if the model has no usable list of blocks, or no linear layer in it.
    """
    block_list(model)
    config: Any = unwrap(model).config
    published = LORA_TARGETS.get(config.model_type)
    return list(published) if published is not None else trainable_modules(model)


def trainable_modules(model: nn.Module) -> list[str]:
    """Return the names of the linear layers inside the blocks that LoRA can train.

    Those that a Mamba mixer bypasses are left out, and so are layers with a single output, which
    gate a whole expert.

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
    # A position in a list is not a name: Zamba2 keeps adapters of its own there.
    names = {name for name in names if not name.isdigit()} - untrainable_modules(model)
    if not names:
        raise ValueError(
            f"{type(model).__name__} has no linear layer in its blocks that LoRA could adapt"
        )
    return sorted(names)


def untrainable_modules(model: nn.Module) -> set[str]:
    """Return the names of modules of Mamba mixers that LoRA cannot train; empty if there are none.

    Raises:
        ValueError: if the model has no usable list of blocks.
    """
    return {
        name
        for mixer in block_list(unwrap(model)).modules()
        if is_mamba_mixer(mixer)
        for name, _ in mixer.named_children()
    } & _MAMBA_UNTRAINABLE


def bypassed_modules(model: nn.Module, names: Iterable[str]) -> list[str]:
    """Return which of these modules need an adapter to be merged into their weights.

    peft refuses LoRA on them, or the kernels of a Mamba mixer read their weights and bypass it.

    Args:
        model: with or without an adapter.
        names: of modules, with their full paths.
    """
    untrainable = untrainable_modules(model)
    return [name for name in names if name.rpartition(".")[2] in untrainable]
