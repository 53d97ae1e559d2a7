"""One forward pass over sequences of one length: logits and block outputs."""

import inspect
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from finetune.architectures.blocks import unwrap
from finetune.architectures.devices import input_device
from finetune.reading.hooks import block_outputs


def forward(
    model: nn.Module, tokens: list[list[int]], positions: Sequence[int]
) -> tuple[Float[Tensor, "n vocab"], Float[Tensor, "layers n positions d"]]:
    """Logits at the first of the positions, counted from the end, and the states at all of them."""
    base = unwrap(model)
    keep = -positions[0]
    kept = {"logits_to_keep": keep} if keeps_logits(base) else {}
    ids = torch.tensor(tokens, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, positions) as outputs:
        logits = base(input_ids=ids, use_cache=False, **kept).logits[:, -keep]
    # Stacked out here, so that the result may enter autograd: inference tensors may not.
    return logits.float().cpu().clone(), _stacked(outputs)


def token_states(
    model: nn.Module, tokens: list[list[int]], layers: Sequence[int]
) -> Float[Tensor, "layers n t d"]:
    """Return the block outputs at every token, on the CPU."""
    base = unwrap(model)
    kept = {"logits_to_keep": 1} if keeps_logits(base) else {}
    ids = torch.tensor(tokens, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, None, layers) as outputs:
        base(input_ids=ids, use_cache=False, **kept)
    # Stacked out here, so that the result may enter autograd: inference tensors may not.
    return _stacked(outputs)


def _stacked(outputs: Sequence[Tensor]) -> Float[Tensor, "layers ..."]:
    """Outputs of blocks that may lie on several devices, together on the CPU."""
    device = outputs[0].device
    return torch.stack([output.to(device) for output in outputs]).cpu()


def keeps_logits(model: nn.Module) -> bool:
    """Return whether the model can compute the logits of the last positions alone."""
    return "logits_to_keep" in inspect.signature(unwrap(model).forward).parameters
