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

EVALUATIONS = 50
"""The most evaluations of the loss between two Hessians."""

HESSIANS = 40
"""The most Hessians of a search."""


def logistic_optimum(
    x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], l2: float, *, raw: bool = False
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """Minimise mean cross-entropy + l2 |w|^2 on standardised or `raw` features, with a free bias.

    One layer is standardised at a time. Its L-BFGS is preconditioned by the Hessian at the start,
    where all examples have the same curvature: one Gram matrix and a Cholesky factorisation, after
    which a few passes over the states usually suffice. Where the penalty hardly restrains separable
    classes, most examples lose their curvature; the Hessian is then taken again where the search
    is. Reusing the previous layer's preconditioner does not work: on states of a random GPT-NeoX
    the search then takes eight times as many passes.

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
    tolerance, rounding = TOLERANCE[x.dtype], ROUNDING[x.dtype]

    def logits_at(theta: Float[Tensor, "d+1"]) -> Float[Tensor, "n"]:
        return torch.mv(x, theta[:-1].to(x.dtype)).double() + theta[-1]

    def objective(thetas: Tensor) -> tuple[Tensor, Tensor]:
        logits, weight = logits_at(thetas[0]), thetas[0, :-1]
        loss = (softplus(logits) - y * logits).mean() + l2 * weight.square().sum()
        error = (logits.sigmoid() - y) / n
        slope = torch.mv(x.mT, error.to(x.dtype)).double()
        return loss[None], torch.cat([slope + 2 * l2 * weight, error.sum()[None]])[None]

    theta = torch.zeros(1, d + 1, dtype=torch.float64, device=x.device)
    theta[0, -1] = torch.logit(y.mean())
    value = objective(theta)[0]
    for _ in range(HESSIANS):
        p = logits_at(theta[0]).sigmoid()
        inverse = _inverse_hessian(x, p * (1 - p), l2)
        theta = minimise(
            objective,
            theta,
            evaluations=EVALUATIONS,
            tolerance=tolerance,
            precondition=inverse,
            rounding=rounding,
        )
        previous, (value, gradient) = value, objective(theta)
        squared_slack = (gradient * inverse(gradient)).sum()
        if squared_slack <= tolerance**2 or previous - value <= rounding * value:
            break
    return theta[0]


def _inverse_hessian(x: Float[Tensor, "n d"], curvature: Float[Tensor, "n"], l2: float) -> Solve:
    """Return the inverse Hessian, as a map of gradients, where the examples have this curvature.

    It is solved for the weight of features centred by their curvature, and the bias on its own.

    The preconditioner affects the length of the search, not the optimum. A penalty too small for
    float64 is therefore raised to one that survives rounding, and the Gram matrix is computed in
    float32 where its rounding error is far below the penalty.
    """
    n, d = x.shape
    total = curvature.sum().clamp(min=1e-12 * n)
    centre = torch.mv(x.mT, (curvature / total).to(x.dtype)).double()
    rows = (x - centre.to(x.dtype)) * curvature.sqrt().to(x.dtype)[:, None]
    trace = float(rows.square().sum()) / n
    ridge = max(2 * l2, 1e-12 * trace)
    exact = d > n or ridge < 1e-6 * trace
    inverse = SecondMoment(rows.double() if exact else rows.float()).ridge_solver(1, ridge)

    def solve(gradient: Float[Tensor, "1 d+1"]) -> Float[Tensor, "1 d+1"]:
        weight = inverse(gradient[0, :-1] - gradient[0, -1] * centre)
        bias = gradient[0, -1] * n / total - weight @ centre
        return torch.cat([weight, bias[None]])[None]

    return solve
