"""Difference of the class means, and mass-mean probing (arXiv 2310.06824)."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import Reads
from probes.linear import LinearProbe
from probes.numerics.discriminant import discriminant
from probes.registry import register_probe

WHITENING_SHRINKAGE = 1e-3
"""The shrinkage of the covariance to its diagonal with `whiten=True`."""


@register_probe
class MeanDifference(LinearProbe):
    """The direction from the mean of the false claims to the mean of the true ones.

    Labels define the two classes. The midpoint of the means scores 0. The length of the direction
    is the distance of the means, so scores are not log-odds. This is `mean-diff` of arXiv
    2312.01037.

    `whiten=True` is mass-mean probing for states distributed as those of the fit ("IID" in arXiv
    2310.06824): the difference is multiplied by the inverse of S, the within-class covariance. To
    make S invertible where there are more features than examples, a thousandth of it is replaced
    by a thousandth of its diagonal; the paper's code takes a pseudo-inverse, which depends on the
    units of the features. The direction is that of `lda` with shrinkage=1e-3, whereas `lda` chooses
    its shrinkage from the data.
    """

    name = "mean-diff"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"

    def __init__(self, *, seed: int = 0, whiten: bool = False) -> None:
        if not isinstance(whiten, bool):
            raise ValueError(f"whiten must be True or False, not {whiten!r}")
        super().__init__(seed=seed, whiten=whiten)
        self.whiten = whiten

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Set `weight` to the difference of the means, and `bias` so that the midpoint is 0."""
        weights, biases = [], []
        for layer in self.rows(x):
            weight, midpoint = self._direction(layer, y)
            weights.append(weight)
            biases.append(-weight @ midpoint)
        return self.set_direction(x, torch.stack(weights), torch.stack(biases))

    def _direction(
        self, layer: Float[Tensor, "n k"], y: Bool[Tensor, "n"]
    ) -> tuple[Float[Tensor, "k"], Float[Tensor, "k"]]:
        """Return the direction and the midpoint of the means."""
        if self.whiten:
            return discriminant(layer, y, WHITENING_SHRINKAGE)
        false, true = layer[~y].double().mean(0), layer[y].double().mean(0)
        return true - false, (true + false) / 2


@register_probe
class MeanDifferenceOnPair(MeanDifference):
    """Difference of the class means of the two answer tokens' concatenated states."""

    name = "mean-diff-on-pair"
    reads = "pair"
