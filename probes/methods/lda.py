"""Fisher's linear discriminant with shrinkage (Fisher 1936; `lda` in arXiv 2312.01037)."""

import math
from typing import ClassVar, Literal, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import Reads
from probes.linear import LinearProbe
from probes.numerics.discriminant import MIN_SHRINKAGE, discriminant
from probes.registry import register_probe


@register_probe
class FisherDiscriminant(LinearProbe):
    """The log-odds of two Gaussian classes with a shared covariance.

    It learns from labels only. With S the pooled within-class covariance (1/n) and m the class
    means, `weight` is C^-1 (m_true - m_false), where C = (1 - shrinkage) S + shrinkage diag(S).
    This is shrinkage on standardised features, so the units of the features do not matter. "auto"
    is the intensity of Ledoit and Wolf (2004, J. Multivariate Analysis 88, section 3.3), layer by
    layer. Any positive shrinkage allows more features than examples. `bias` includes the log-odds
    of the class sizes, as the Gaussian model implies.

    arXiv 2312.01037's code inverts S by a pseudo-inverse and has no bias; its paper gives no
    regularisation. A feature that is constant within the classes has weight 0.
    """

    name = "lda"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"
    calibrated = True

    def __init__(self, *, seed: int = 0, shrinkage: float | Literal["auto"] = "auto") -> None:
        is_valid = shrinkage == "auto" or (
            isinstance(shrinkage, int | float) and MIN_SHRINKAGE <= shrinkage <= 1
        )
        if not is_valid:
            raise ValueError(
                f"shrinkage must be 'auto' or a number from {MIN_SHRINKAGE:g} to 1, "
                f"not {shrinkage!r}"
            )
        super().__init__(seed=seed, shrinkage=shrinkage)
        self.shrinkage = shrinkage

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Solve one layer after the other, so that one covariance is in memory at a time."""
        log_prior = math.log(float(y.sum()) / float((~y).sum()))
        weights, biases = [], []
        for layer in self.rows(x):
            weight, midpoint = discriminant(layer, y, self.shrinkage)
            weights.append(weight)
            biases.append(log_prior - weight @ midpoint)
        return self.set_direction(x, torch.stack(weights), torch.stack(biases))


@register_probe
class FisherDiscriminantOnPair(FisherDiscriminant):
    """Fisher's discriminant on the concatenated states of the two answer tokens."""

    name = "lda-on-pair"
    reads = "pair"
