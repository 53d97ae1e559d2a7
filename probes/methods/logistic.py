"""L2-regularised logistic regression (`lr`)."""

import math
from typing import ClassVar, Self

from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import Reads
from probes.linear import LinearProbe
from probes.numerics.logistic import logistic_optimum
from probes.registry import register_probe


@register_probe
class LogisticRegression(LinearProbe):
    """Logistic regression with an L2 penalty on standardised features.

    It minimises mean binary cross-entropy + l2/2 |w|^2 with a free bias, and learns from labels
    only. The penalty is that of arXiv 2312.01037's code. `weight` and `bias` act on raw states.
    """

    name = "lr"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"
    calibrated = True

    def __init__(self, *, seed: int = 0, l2: float = 1e-3) -> None:
        if not (math.isfinite(l2) and l2 > 0):
            raise ValueError(f"l2 must be a positive number, not {l2!r}")
        super().__init__(seed=seed, l2=l2)
        self.l2 = l2

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Find the optimum of every layer."""
        return self.set_direction(x, *logistic_optimum(self.rows(x), y, self.l2))


@register_probe
class LogisticRegressionOnPair(LogisticRegression):
    """Logistic regression on the concatenated states of the two answer tokens."""

    name = "lr-on-pair"
    reads = "pair"
