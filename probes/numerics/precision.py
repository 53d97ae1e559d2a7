"""In which precision a fit passes over the states."""

import torch
from torch import Tensor

EXACT = 2**20
"""States of at most this many numbers are passed over in float64, more in float32."""

ROUNDING = {torch.float64: 1e-15, torch.float32: 4e-7}
"""Relative error of a loss whose logits were computed in this precision."""


def pass_precision(layer: Tensor) -> torch.dtype:
    """The precision of the passes over one layer's states: float64 where that costs little.

    Weights, losses and sums over examples are in float64 either way.
    """
    return torch.float64 if layer.numel() <= EXACT else torch.float32
