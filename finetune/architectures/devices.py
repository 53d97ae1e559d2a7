"""Which device a model takes its input on."""

import torch
from torch import nn

from finetune.architectures.blocks import unwrap


def input_device(model: nn.Module) -> torch.device:
    """The device that tokens go to: that of the embeddings, where blocks lie on several."""
    embeddings = unwrap(model).get_input_embeddings()  # type: ignore[operator]
    device = embeddings.weight.device
    # Weights that accelerate keeps elsewhere until they are needed; it moves what goes in as well.
    return torch.device("cpu") if device.type == "meta" else device
