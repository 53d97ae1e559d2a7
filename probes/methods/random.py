"""A random direction: what a direction tells that nobody has fitted."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe


class RandomDirection(LinearProbe):
    """One direction drawn uniformly from the unit sphere, the same for all layers.

    Labels do nothing, not even orient it: over many seeds the AUROC is symmetric about one
    half, and its spread shows how much of the space tells truth. The mean of the fitted
    states scores 0.
    """

    name = "random"
    reads = "prompt"
    supervision = "none"
    exempt: ClassVar[dict[str, str]] = {
        "finds_planted_wide": "it looks for no direction",
        "finds_planted_tall": "it looks for no direction",
    }

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Draw the direction from `seed` and centre it on the states."""
        rows = self.rows(x)
        generator = torch.Generator().manual_seed(self.seed)
        drawn = torch.randn(rows.shape[-1], generator=generator, dtype=torch.float64)
        direction = (drawn / drawn.norm()).to(x.device)
        centres = torch.stack([layer.double().mean(0) for layer in rows])
        return self.set_direction(x, direction.repeat(len(rows), 1), -centres @ direction)
