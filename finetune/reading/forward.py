"""One forward pass over sequences of one length: logits and block outputs, on the CPU."""

import inspect
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from finetune.architectures.blocks import unwrap
from finetune.architectures.devices import input_device
from finetune.reading.hooks import block_outputs


def logits_and_states(
    model: nn.Module, token_lists: list[list[int]], positions: Sequence[int]
) -> tuple[Float[Tensor, "n vocab"], Float[Tensor, "layers n positions d"]]:
    """Return the logits at one position and the hidden states at several.

    Args:
        model: a causal language model in eval mode.
        token_lists: sequences of one length.
        positions: negative positions, counted from the end. The logits are those at the first.

    Returns:
        The logits in float32, and every block's output in the precision of the blocks.
    """
    base = unwrap(model)
    n_logits = -positions[0]
    options = {"logits_to_keep": n_logits} if accepts_logits_to_keep(base) else {}
    input_ids = torch.tensor(token_lists, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, positions) as outputs:
        logits = base(input_ids=input_ids, use_cache=False, **options).logits[:, -n_logits]
    # Stacked outside inference mode: autograd does not accept inference tensors.
    return logits.float().cpu().clone(), _stack_on_cpu(outputs)


def token_states(
    model: nn.Module, token_lists: list[list[int]], layers: Sequence[int]
) -> Float[Tensor, "layers n t d"]:
    """Return the hidden states at every token of sequences of one length, in some layers."""
    base = unwrap(model)
    options = {"logits_to_keep": 1} if accepts_logits_to_keep(base) else {}
    input_ids = torch.tensor(token_lists, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, None, layers) as outputs:
        base(input_ids=input_ids, use_cache=False, **options)
    # Stacked outside inference mode: autograd does not accept inference tensors.
    return _stack_on_cpu(outputs)


def accepts_logits_to_keep(model: nn.Module) -> bool:
    """Return whether the model can compute the logits of the last positions only."""
    return "logits_to_keep" in inspect.signature(unwrap(model).forward).parameters


def check_eval_mode(model: nn.Module) -> None:
    """Check that dropout is off.

    Raises:
        ValueError: if the model is in training mode.
    """
    if model.training:
        raise ValueError("the model is in training mode, where dropout runs; call model.eval()")


def _stack_on_cpu(outputs: Sequence[Tensor]) -> Float[Tensor, "layers ..."]:
    """Stack block outputs, which may be on several devices."""
    device = outputs[0].device
    return torch.stack([output.to(device) for output in outputs]).cpu()
