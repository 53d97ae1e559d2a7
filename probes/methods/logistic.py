"""L2-regularised logistic regression (`lr`, `lr-raw`, `lr-on-pair`)."""

import math
from typing import ClassVar, Literal, Self

from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import Reads, require_choice
from probes.linear import LinearProbe
from probes.numerics.logistic import logistic_optimum
from probes.registry import register_probe

Features = Literal["standardised", "raw"]


@register_probe
class LogisticRegression(LinearProbe):
    """Logistic regression with an L2 penalty, by default on standardised features.

    It minimises mean binary cross-entropy + l2 |w|^2 with a free bias, and learns from labels
    only. `features` says which features w multiplies in the penalty:

    - "standardised", the default: each feature minus its mean, divided by its standard deviation.
      The unit of a feature then has no effect.
    - "raw": the states as they are, as in the code of arXiv 2312.01037, whose penalty and l2 this
      is. `lr-raw` has this default.

    `weight` and `bias` act on raw states in either case.
    """

    name = "lr"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"
    calibrated = True

    def __init__(
        self, *, seed: int = 0, l2: float = 1e-3, features: Features = "standardised"
    ) -> None:
        if not (math.isfinite(l2) and l2 > 0):
            raise ValueError(f"l2 must be a positive number, not {l2!r}")
        require_choice("features", features, Features)
        super().__init__(seed=seed, l2=l2, features=features)
        self.l2 = l2
        self.features = features

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Find the optimum of every layer."""
        optimum = logistic_optimum(self.rows(x), y, self.l2, raw=self.features == "raw")
        return self.set_direction(x, *optimum)


@register_probe
class LogisticRegressionOnRawFeatures(LogisticRegression):
    """`lr` as the code of arXiv 2312.01037 fits it: the penalty is on raw features.

    It minimises mean binary cross-entropy + 1e-3 |w|^2 on states as they are, with a free bias,
    and learns from labels only. That code's search, in float32 and without a preconditioner, may
    stop before the optimum where features differ much in scale; this one ends there.
    """

    name = "lr-raw"

    def __init__(self, *, seed: int = 0, l2: float = 1e-3, features: Features = "raw") -> None:
        super().__init__(seed=seed, l2=l2, features=features)


@register_probe
class LogisticRegressionOnPair(LogisticRegression):
    """Logistic regression on the concatenated states of the two answer tokens."""

    name = "lr-on-pair"
    reads = "pair"
