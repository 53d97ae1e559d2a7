"""A random direction, as a baseline."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.linear import LinearProbe
from probes.registry import register_probe


@register_probe
class RandomDirection(LinearProbe):
    """One direction drawn uniformly from the unit sphere, the same for all layers.

    Labels have no effect; they do not even orient the direction. Over many seeds the AUROC is
    therefore symmetric about .5, and its spread shows how much of the space correlates with
    truth. The mean of the fitted states scores 0.
    """

    name = "random"
    reads = "prompt"
    supervision = "none"
    exempt: ClassVar[dict[str, str]] = {
        "finds_planted_wide": "it does not search for a direction",
        "finds_planted_tall": "it does not search for a direction",
    }

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Draw the direction from `seed`, and set `bias` so that the mean state scores 0."""
        rows = self.rows(x)
        generator = torch.Generator().manual_seed(self.seed)
        normal = torch.randn(rows.shape[-1], generator=generator, dtype=torch.float64)
        direction = (normal / normal.norm()).to(x.device)
        means = torch.stack([layer.double().mean(0) for layer in rows])
        return self.set_direction(x, direction.repeat(len(rows), 1), -means @ direction)
