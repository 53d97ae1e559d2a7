"""L2 logistic regression on standardised features, all layers at once."""

import math
from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from probes.base import LinearProbe
from probes.inputs import Reads
from probes.numerics.lbfgs import minimise
from probes.numerics.precision import ROUNDING, pass_precision
from probes.numerics.ridge import SecondMoment, Solve
from probes.numerics.scaling import feature_scale, standardised

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-6}
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

    One layer at a time is standardised. Its L-BFGS is preconditioned by the Hessian at the start,
    where every example has the same curvature: one Gram matrix and a Cholesky factorisation, after
    which a few passes over the states suffice. (That of the layer before does not do in its place:
    in states of a random GPT-NeoX the search then takes eight times as many passes.)
    """
    weights, biases = [], []
    for layer in x:
        mean, scale = (moment[0] for moment in feature_scale(layer[None]))
        states = standardised(layer, mean, scale, pass_precision(layer))
        theta = _standardised_optimum(states, y.double(), l2)
        weight = theta[:-1] / scale
        weights.append(weight)
        biases.append(theta[-1] - weight @ mean)
    return torch.stack(weights), torch.stack(biases)


def _standardised_optimum(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n"], l2: float
) -> Float[Tensor, "d+1"]:
    """The weight and, as the last entry, the bias, in float64."""
    n, d = x.shape
    inverse = _inverse_hessian(x, y, l2)

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = theta[0, :-1], theta[0, -1]
        logits = torch.mv(x, weight.to(x.dtype)).double() + bias
        loss = (softplus(logits) - y * logits).mean() + l2 / 2 * weight.square().sum()
        error = (logits.sigmoid() - y) / n
        slope = torch.mv(x.mT, error.to(x.dtype)).double()
        return loss[None], torch.cat([slope + l2 * weight, error.sum()[None]])[None]

    start = torch.zeros(1, d + 1, dtype=torch.float64, device=x.device)
    start[0, -1] = torch.logit(y.mean())
    return minimise(
        objective,
        start,
        tolerance=TOLERANCE[x.dtype],
        precondition=lambda gradient: inverse(gradient[0])[None],
        rounding=ROUNDING[x.dtype],
    )[0]


def _inverse_hessian(x: Float[Tensor, "n d"], y: Float[Tensor, "n"], l2: float) -> Solve:
    """What the inverse Hessian makes of a gradient where every example is as likely as its class.

    The preconditioner decides how long the search is, not where it ends. So a penalty that the
    rounding of float64 would lose is raised here to one that it keeps, and the Gram matrix is taken
    in float32 where its rounding is far below the penalty.
    """
    n, d = x.shape
    share = float(y.mean())
    curvature = share * (1 - share)
    trace = curvature * d
    ridge = max(l2, 1e-12 * trace)
    exact = d > n or ridge < 1e-6 * trace
    inverse = SecondMoment(x.double() if exact else x.float()).ridge_solver(curvature, ridge)

    def solve(gradient: Float[Tensor, "d+1"]) -> Float[Tensor, "d+1"]:
        return torch.cat([inverse(gradient[:-1]), gradient[-1:] / curvature])

    return solve
