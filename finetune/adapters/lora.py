"""Adapters: where they sit, whether they learn, and the card they are published with."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from peft.utils.integrations import dequantize_module_weight
from torch import nn

from finetune.architectures.blocks import unwrap
from finetune.architectures.kernels import code_path
from finetune.architectures.lora_targets import lora_targets, trainable_modules, untrainable_modules


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
    known, dead = trainable_modules(model), untrainable_modules(model)
    name = type(unwrap(model)).__name__
    for target in targets:
        if target in dead:
            raise ValueError(
                f"finetune.targets: {target!r} of {name} cannot be trained: Mamba's kernels bypass "
                f"the module, so LoRA on it is dead or differs from CPU to GPU; known: "
                f"{', '.join(known)}"
            )
        if target not in known:
            raise ValueError(
                f"finetune.targets: {name} has no module {target!r} that LoRA can train; known: "
                f"{', '.join(known)}"
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


AUDIT = "audit.json"
"""Beside an adapter: which modules learned, how far each moved, and which code ran."""


def save_adapter(model: nn.Module, folder: Path) -> None:
    """Write an adapter in peft's format, and beside it the audit of what learned.

    The audit says how far each adapted module moved, and by which code it was trained.
    """
    if not isinstance(model, PeftModel):
        raise TypeError(f"{type(model).__name__} has no adapter to save")
    model.save_pretrained(str(folder))
    audit = {"code": code_path(model), "moved": how_far_moved(model)}
    (folder / AUDIT).write_text(json.dumps(audit, indent=1))


@torch.no_grad()
def how_far_moved(adapted: PeftModel) -> dict[str, float | None]:
    """Return the Frobenius norm of each adapted module's change over that of its weight.

    None where the weight is kept off the device until it is needed.
    """
    moved = {}
    for name, module in unwrap(adapted).named_modules():
        if isinstance(module, ParamWrapper):  # experts, which are one tensor of all of them
            name = f"{name.removesuffix('.base_layer')}.{module.parameter_name}"
            weight = module.get_param()
        elif isinstance(module, LoraLayer):
            weight = _weight(module.get_base_layer())
        else:
            continue
        change = module.get_delta_weight("default")
        moved[name] = None if weight.is_meta else float(change.norm() / weight.float().norm())
    return moved


def _weight(layer: nn.Module) -> torch.Tensor:
    """The weights as numbers, where they are kept in 8 or 4 bits."""
    if layer.weight.is_meta or layer.weight.is_floating_point():  # type: ignore[operator]
        return layer.weight  # type: ignore[return-value]
    return dequantize_module_weight(layer)


def write_card(folder: Path, facts: Mapping[str, object], gate: Mapping[str, str]) -> None:
    """Write the adapter's model card: what it was made of, what learned, and how it behaves.

    `facts` are shown as a list; `gate` maps a figure's name to its value and interval. What learned
    is read from the audit beside the adapter.
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
        *_learned(json.loads((folder / AUDIT).read_text())),
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


def _learned(audit: Mapping[str, Any]) -> list[str]:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for name, moved in audit["moved"].items():
        by_kind[name.rpartition(".")[2]].append(math.nan if moved is None else moved)
    rows = [
        f"| {kind} | {len(moved)} | {median(moved):.3g} | {max(moved):.3g} |"
        for kind, moved in sorted(by_kind.items())
    ]
    return [
        "## What learned",
        "",
        f"Run by {audit['code']}. How far a weight moved: Frobenius norm of the change over",
        f"that of the weight; of every module in `{AUDIT}`.",
        "",
        "| modules | how many | moved, median | moved, most |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
