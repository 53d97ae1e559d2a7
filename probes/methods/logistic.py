"""L2 logistic regression on standardised features, all layers at once."""

import math
from collections.abc import Callable
from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from probes.base import LinearProbe
from probes.inputs import Reads
from probes.lbfgs import minimise
from probes.scaling import feature_scale, gram_matrix

TOLERANCE = 1e-8
"""Half its square bounds, nearly, how far the loss is above its minimum."""


class LogisticRegression(LinearProbe):
    """Minimises mean binary cross-entropy + l2/2 |w|^2 on standardised features, free bias.

    Labels are all it learns from. The penalty is that of arXiv 2312.01037's code; the
    weights are folded back, so that `weight` and `bias` act on raw states.
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


class LogisticRegressionOnPair(LogisticRegression):
    """Logistic regression on the two answer tokens' states, concatenated."""

    name = "lr-on-pair"
    reads = "pair"


def logistic_optimum(
    x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], l2: float
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """Weight and bias, for raw features, of the penalised optimum on standardised ones.

    One layer at a time is held in float64. Its L-BFGS is preconditioned by the Hessian at the
    start, where every example has the same curvature: one Gram matrix and a Cholesky
    factorisation, after which a few passes over the states suffice.
    """
    weights, biases = [], []
    for layer in x:
        mean, scale = (moment[0] for moment in feature_scale(layer[None]))
        theta = _standardised_optimum((layer.double() - mean).div_(scale), y.double(), l2)
        weight = theta[:-1] / scale
        weights.append(weight)
        biases.append(theta[-1] - weight @ mean)
    return torch.stack(weights), torch.stack(biases)


def _standardised_optimum(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n"], l2: float
) -> Float[Tensor, "d+1"]:
    """The weight and, as the last entry, the bias."""
    n, d = x.shape
    share = y.mean()
    curvature = float(share * (1 - share))
    inverse = _ridge_inverse(x, curvature / n, l2)

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = theta[0, :-1], theta[0, -1]
        logits = torch.mv(x, weight) + bias
        loss = (softplus(logits) - y * logits).mean() + l2 / 2 * weight.square().sum()
        error = (logits.sigmoid() - y) / n
        gradient = torch.cat([torch.mv(x.mT, error) + l2 * weight, error.sum()[None]])
        return loss[None], gradient[None]

    def precondition(gradient: Tensor) -> Tensor:
        return torch.cat([inverse(gradient[0, :-1]), gradient[0, -1:] / curvature])[None]

    start = x.new_zeros(1, d + 1)
    start[0, -1] = torch.logit(share)
    return minimise(objective, start, tolerance=TOLERANCE, precondition=precondition)[0]


def _ridge_inverse(
    x: Float[Tensor, "n d"], factor: float, l2: float
) -> Callable[[Float[Tensor, "d"]], Float[Tensor, "d"]]:
    """Return v -> (factor x'x + l2 I)^-1 v; with more features than examples by Woodbury.

    The Gram matrix is taken in float32 wherever its rounding is far below the penalty. A penalty
    that float64 would lose is raised here to one that it keeps: the search only gets longer.
    """
    n, d = x.shape
    trace = factor * n * d
    l2 = max(l2, 1e-12 * trace)
    if d > n:
        kernel = _factorised(x @ x.mT, l2 / factor)
        return lambda v: (v - torch.mv(x.mT, _solved(kernel, torch.mv(x, v)))) / l2
    exact = l2 < 1e-6 * trace
    gram = _factorised(gram_matrix(x if exact else x.float(), factor), l2)
    return lambda v: _solved(gram, v.to(gram.dtype)).to(v.dtype)


def _factorised(matrix: Float[Tensor, "k k"], ridge: float) -> Float[Tensor, "k k"]:
    """The Cholesky factor of matrix + ridge I; `matrix` is changed in place."""
    matrix.diagonal().add_(ridge)
    return torch.linalg.cholesky(matrix)


def _solved(factor: Float[Tensor, "k k"], v: Float[Tensor, "k"]) -> Float[Tensor, "k"]:
    return torch.cholesky_solve(v[:, None], factor)[:, 0]
