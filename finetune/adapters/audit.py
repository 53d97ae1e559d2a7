"""Which modules of an adapter learn: every tensor receives gradient, and how far weights moved."""

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from peft.utils.integrations import dequantize_module_weight
from torch import nn

from finetune.architectures.blocks import unwrap


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
