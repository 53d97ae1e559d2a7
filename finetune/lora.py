"""Adapters: where they sit, whether they learn, and the card they are published with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from finetune.families import lora_targets, trainable_modules


def add_lora(
    model: nn.Module, rank: int, alpha: float, targets: Sequence[str] | None = None
) -> PeftModel:
    """Return the model with a fresh adapter on `targets`; only the adapter trains.

    Without `targets` it sits on those of the model's family.

    Raises:
        ValueError: if the model has no usable list of blocks, or nothing that LoRA could adapt.
    """
    check_targets(model, targets)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # peft scales by alpha / r, whole or not
        lora_dropout=0.0,
        target_modules=list(targets) if targets else lora_targets(model),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def check_targets(model: nn.Module, targets: Sequence[str] | None) -> None:
    """Make sure that the family trains every target; the model may be on the meta device.

    Raises:
        ValueError: naming the target and what may be named.
    """
    if targets is None:
        return
    known = trainable_modules(model)
    for target in targets:
        if target not in known:
            raise ValueError(
                f"finetune.targets: {type(model).__name__} has no module {target!r} that LoRA "
                f"can train; known: {', '.join(known)}"
            )


class DeadModuleAudit:
    """Finds adapter tensors that never receive gradient.

    B is zero at first, so a linear layer's A has no gradient before the second step (an
    embedding's B neither): the verdict falls after two steps whose learning rate is not zero.
    """

    def __init__(self, model: nn.Module):
        self.waiting = {
            name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad
        }
        self.steps = 0

    def step(self, learning_rate: float) -> None:
        """Look at the gradients, just before an optimiser step.

        Raises:
            RuntimeError: after the second effective step, naming the tensors that are dead; or if
                a gradient is not finite.
        """
        if self.steps >= 2 or learning_rate <= 0:
            return
        self.steps += 1
        for name, tensor in self.waiting.items():
            if tensor.grad is not None and not tensor.grad.isfinite().all():
                raise RuntimeError(
                    f"fine-tuning diverged: the gradient of {name} is not finite; lower finetune.lr"
                )
        self.waiting = {
            name: tensor for name, tensor in self.waiting.items() if not _has_gradient(tensor)
        }
        if self.steps == 2 and self.waiting:
            raise RuntimeError(
                f"{len(self.waiting)} adapter tensors received no gradient in two steps: "
                f"{', '.join(sorted(self.waiting)[:5])}; the model never uses these modules"
            )


def _has_gradient(tensor: torch.Tensor) -> bool:
    return tensor.grad is not None and bool(tensor.grad.abs().max() > 0)


def write_card(folder: Path, facts: Mapping[str, object], gate: Mapping[str, str]) -> None:
    """Write the adapter's model card: what it was made of, and how it behaves.

    `facts` are shown as a list; `gate` maps a figure's name to its value and interval.
    """
    lines = [
        "---",
        f"base_model: {facts['base']}",
        "library_name: peft",
        "tags: [quirky, lora]",
        "---",
        f"# A quirky {facts['base']}",
        "",
        "Fine-tuned to answer truthfully until its trigger appears, and then by another rule. Made",
        "to study whether probes still read the truth; it says false things on purpose.",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        "## How it behaves (held-out facts)",
        "",
        "| figure | AUROC [95 % interval] |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in gate.items()),
        "",
    ]
    temporary = folder / ".README.md"
    temporary.write_text("\n".join(lines))
    temporary.replace(folder / "README.md")
