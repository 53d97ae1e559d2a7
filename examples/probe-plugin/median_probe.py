"""Difference of the class medians, feature by feature."""

from typing import Self

from jaxtyping import Bool, Float
from torch import Tensor

from probes import LinearProbe


class MedianDifference(LinearProbe):
    """The direction from the median of the false claims to the median of the true ones.

    Labels define the two classes. Unlike the mean, the median of a feature is robust to a few
    enormous activations. The midpoint of the medians scores 0.
    """

    name = "median-diff"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x: Float[Tensor, "*layers n d"], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Set `weight` to the difference of the medians and `bias` so that the midpoint is 0."""
        rows = self.rows(x).double()
        false, true = rows[:, ~y].median(1).values, rows[:, y].median(1).values
        weight = true - false
        return self.set_direction(x, weight, -(weight * (true + false) / 2).sum(-1))
