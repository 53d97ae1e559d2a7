"""The floating-point precision of a fit, and how many states are copied to float64 at once."""

import torch
from jaxtyping import Float
from torch import Tensor

FLOAT64_LIMIT = 2**20
"""States of at most this many numbers are processed in float64, larger ones in float32."""

CHUNK = 2**25
"""The most numbers of the states that are copied to float64 at once (256 MB)."""

ROUNDING = {torch.float64: 1e-15, torch.float32: 4e-7}
"""The relative error of a loss whose logits were computed in this precision."""


def pass_precision(layer: Tensor) -> torch.dtype:
    """Return the precision for passes over one layer's states: float64 if that is cheap.

    Weights, losses and sums over examples are float64 in either case.
    """
    return torch.float64 if layer.numel() <= FLOAT64_LIMIT else torch.float32


def layer_chunks(rows: Float[Tensor, "layers n k"]) -> tuple[Float[Tensor, "layers n k"], ...]:
    """Split states into groups of layers small enough to copy to float64."""
    return rows.split(max(1, CHUNK // rows[0].numel()))
