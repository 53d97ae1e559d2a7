"""Put a LoRA adapter on a model, and save it (Hu et al. 2021, arXiv 2106.09685)."""

import json
from collections.abc import Sequence
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from finetune.adapters.audit import AUDIT, relative_changes
from finetune.architectures.blocks import unwrap
from finetune.architectures.kernels import code_path
from finetune.architectures.lora_targets import (
    default_targets,
    trainable_modules,
    untrainable_modules,
)


def add_lora(
    model: nn.Module, rank: int, alpha: float, targets: Sequence[str] | None = None
) -> PeftModel:
    """Return the model with a new adapter, the only part of it that trains.

    Args:
        model: a causal language model.
        rank: r of every adapted module.
        alpha: the adapter's change is scaled by alpha / r.
        targets: names of the modules to adapt; None for those of the model's family.

    Raises:
        ValueError: if the model has no usable list of blocks, or nothing that LoRA could adapt; or
            as `check_targets`.
    """
    check_targets(model, targets)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # peft scales by alpha / r, whole or not
        lora_dropout=0.0,
        target_modules=list(targets) if targets else default_targets(model),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def check_targets(model: nn.Module, targets: Sequence[str] | None) -> None:
    """Check that LoRA can train every target; the model may be on the meta device.

    Raises:
        ValueError: naming the target and the modules that can be trained.
    """
    if targets is None:
        return
    trainable, untrainable = trainable_modules(model), untrainable_modules(model)
    name = type(unwrap(model)).__name__
    for target in targets:
        if target in untrainable:
            raise ValueError(
                f"finetune.targets: {target!r} of {name} cannot be trained: Mamba's kernels bypass "
                f"the module, so LoRA on it is dead or differs from CPU to GPU; known: "
                f"{', '.join(trainable)}"
            )
        if target not in trainable:
            raise ValueError(
                f"finetune.targets: {name} has no module {target!r} that LoRA can train; known: "
                f"{', '.join(trainable)}"
            )


def save_adapter(model: nn.Module, folder: Path) -> None:
    """Write an adapter in peft's format, with the audit of its training beside it.

    Raises:
        TypeError: if the model has no adapter.
    """
    if not isinstance(model, PeftModel):
        raise TypeError(f"{type(model).__name__} has no adapter to save")
    model.save_pretrained(str(folder))
    audit = {"code": code_path(model), "moved": relative_changes(model)}
    (folder / AUDIT).write_text(json.dumps(audit, indent=1))
