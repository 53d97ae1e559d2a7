"""L2-regularised logistic regression on standardised or raw features."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from probes.numerics.lbfgs import minimise
from probes.numerics.precision import ROUNDING, pass_precision
from probes.numerics.ridge import SecondMoment, Solve
from probes.numerics.scaling import common_scale, feature_scale, standardise

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-6}
"""Half its square is, approximately, an upper bound on the loss minus its minimum."""


def logistic_optimum(
    x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], l2: float, *, raw: bool = False
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """Minimise mean cross-entropy + l2 |w|^2 on standardised or `raw` features, with a free bias.

    One layer is standardised at a time. Its L-BFGS is preconditioned by the Hessian at the start,
    where all examples have the same curvature: one Gram matrix and a Cholesky factorisation, after
    which a few passes over the states suffice. Reusing the previous layer's preconditioner does
    not work: on states of a random GPT-NeoX the search then takes eight times as many passes.

    Raw features are searched centred and divided by one number s, the root mean square of their
    deviations, with the penalty l2 / s^2, which has the same optimum: the free bias takes up the
    means. The preconditioner takes up their different scales.

    Returns:
        The weight and bias for raw features.
    """
    weights, biases = [], []
    for layer in x:
        mean, scale = (moment[0] for moment in feature_scale(layer[None]))
        penalty = l2
        if raw:
            scale, unit = common_scale(scale)
            penalty = l2 / unit**2
        states = standardise(layer, mean, scale, pass_precision(layer))
        theta = _scaled_optimum(states, y.double(), penalty)
        weight = theta[:-1] / scale
        weights.append(weight)
        biases.append(theta[-1] - weight @ mean)
    return torch.stack(weights), torch.stack(biases)


def _scaled_optimum(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n"], l2: float
) -> Float[Tensor, "d+1"]:
    """Return the weight and, as the last entry, the bias, in float64."""
    n, d = x.shape
    inverse = _inverse_hessian(x, y, l2)

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = theta[0, :-1], theta[0, -1]
        logits = torch.mv(x, weight.to(x.dtype)).double() + bias
        loss = (softplus(logits) - y * logits).mean() + l2 * weight.square().sum()
        error = (logits.sigmoid() - y) / n
        slope = torch.mv(x.mT, error.to(x.dtype)).double()
        return loss[None], torch.cat([slope + 2 * l2 * weight, error.sum()[None]])[None]

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
    """Return the inverse Hessian, as a map of gradients, where every logit is the class log-odds.

    The preconditioner affects the length of the search, not the optimum. A penalty too small for
    float64 is therefore raised to one that survives rounding, and the Gram matrix is computed in
    float32 where its rounding error is far below the penalty.
    """
    n, d = x.shape
    share = float(y.mean())
    curvature = share * (1 - share)
    trace = curvature * d
    ridge = max(2 * l2, 1e-12 * trace)
    exact = d > n or ridge < 1e-6 * trace
    inverse = SecondMoment(x.double() if exact else x.float()).ridge_solver(curvature, ridge)

    def solve(gradient: Float[Tensor, "d+1"]) -> Float[Tensor, "d+1"]:
        return torch.cat([inverse(gradient[:-1]), gradient[-1:] / curvature])

    return solve
