"""Which device a model takes its input on."""

import torch
from torch import nn

from finetune.architectures.blocks import unwrap


def input_device(model: nn.Module) -> torch.device:
    """Return the device of the input embeddings, which tokens are moved to.

    For embeddings that are offloaded it is the CPU: accelerate moves the tokens on.
    """
    embeddings = unwrap(model).get_input_embeddings()  # type: ignore[operator]
    device = embeddings.weight.device
    return torch.device("cpu") if device.type == "meta" else device
