"""Difference of the class means (as `mean-diff` in arXiv 2312.01037)."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe
from probes.inputs import Reads


class MeanDifference(LinearProbe):
    """The direction from the mean of the false claims to the mean of the true ones.

    Labels choose the two classes. The midpoint of the means scores 0; the length of the
    direction is the distance of the means, so scores are not log-odds.
    """

    name = "mean-diff"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Set `weight` to the difference of the means and `bias` so that the midpoint is 0."""
        weights, biases = [], []
        for layer in self.rows(x):
            false, true = layer[~y].double().mean(0), layer[y].double().mean(0)
            weights.append(true - false)
            biases.append(-(true - false) @ (true + false) / 2)
        return self.set_direction(x, torch.stack(weights), torch.stack(biases))


class MeanDifferenceOnPair(MeanDifference):
    """Difference of the class means of the two answer tokens' states, concatenated."""

    name = "mean-diff-on-pair"
    reads = "pair"
