"""Which modules of an adapter learn: whether they receive gradient, and how much weights change."""

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from peft.utils.integrations import dequantize_module_weight
from torch import nn

from finetune.architectures.blocks import unwrap

AUDIT = "audit.json"
"""File beside an adapter: the relative change of each module, and the code that trained it."""

_STEPS = 2


class DeadModuleAudit:
    """Finds adapter tensors that never receive gradient.

    B is zero at first, so the A of a linear layer (the B of an embedding) has no gradient in the
    first step. The audit therefore looks at two steps whose learning rate is not zero.
    """

    def __init__(self, model: nn.Module):
        self._without_gradient = {
            name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad
        }
        self._steps = 0

    def step(self, learning_rate: float) -> None:
        """Look at the gradients; call it before each optimiser step.

        Raises:
            RuntimeError: if a gradient is not finite, or after the second step with a learning rate
                above zero, naming the tensors that never received a gradient.
        """
        if self._steps >= _STEPS or learning_rate <= 0:
            return
        self._steps += 1
        for name, tensor in self._without_gradient.items():
            if tensor.grad is not None and not tensor.grad.isfinite().all():
                raise RuntimeError(
                    f"fine-tuning diverged: the gradient of {name} is not finite; lower finetune.lr"
                )
        self._without_gradient = {
            name: tensor
            for name, tensor in self._without_gradient.items()
            if not _has_gradient(tensor)
        }
        if self._steps == _STEPS and self._without_gradient:
            raise RuntimeError(
                f"{len(self._without_gradient)} adapter tensors received no gradient in two steps: "
                f"{', '.join(sorted(self._without_gradient)[:5])}; the model never uses these "
                "modules"
            )


def _has_gradient(tensor: torch.Tensor) -> bool:
    return tensor.grad is not None and bool(tensor.grad.abs().max() > 0)


@torch.no_grad()
def relative_changes(adapted: PeftModel) -> dict[str, float | None]:
    """Return how much an adapter changes each module that it adapts, by the module's name.

    The relative change is |scale B A| / |W| in Frobenius norms; None where W is offloaded.
    """
    changes = {}
    for name, module in unwrap(adapted).named_modules():
        if isinstance(module, ParamWrapper):  # the weights of all experts in one tensor
            name = f"{name.removesuffix('.base_layer')}.{module.parameter_name}"
            weight = module.get_param()
        elif isinstance(module, LoraLayer):
            weight = _dequantised_weight(module.get_base_layer())
        else:
            continue
        change = module.get_delta_weight("default")
        changes[name] = None if weight.is_meta else float(change.norm() / weight.float().norm())
    return changes


def _dequantised_weight(layer: nn.Module) -> torch.Tensor:
    if layer.weight.is_meta or layer.weight.is_floating_point():  # type: ignore[operator]
        return layer.weight  # type: ignore[return-value]
    return dequantize_module_weight(layer)
