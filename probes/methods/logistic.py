"""L2 logistic regression on standardised features, all layers at once."""

import math
from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from probes.base import LinearProbe
from probes.inputs import Reads
from probes.scaling import feature_scale


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
        optima = [logistic_optimum(layers, y, self.l2) for layers in self.chunks(x)]
        weights, biases = zip(*optima, strict=True)
        return self.set_direction(x, torch.cat(weights), torch.cat(biases))


class LogisticRegressionOnPair(LogisticRegression):
    """Logistic regression on the two answer tokens' states, concatenated."""

    name = "lr-on-pair"
    reads = "pair"


def logistic_optimum(
    x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], l2: float
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """Weight and bias, for raw features, of the penalised optimum on standardised ones."""
    mean, scale = feature_scale(x)
    standardised = (x.double() - mean[:, None]) / scale[:, None]
    weight, bias = _newton(standardised, y.double(), l2)
    weight = weight / scale
    return weight, bias - (weight * mean).sum(-1)


def _newton(
    x: Float[Tensor, "layers n d"], y: Float[Tensor, "n"], l2: float
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """Damped Newton steps until the Newton decrement says that every layer is at its optimum."""
    layers, n, d = x.shape
    kernel = x @ x.mT if d > n else None
    weight = x.new_zeros(layers, d)
    bias = torch.logit(y.mean()).expand(layers).clone()
    logits = bias[:, None].expand(layers, n)
    for _ in range(100):
        p = logits.sigmoid()
        gradient = torch.einsum("ln,lnd->ld", p - y, x) / n + l2 * weight
        slope = (p - y).mean(-1)
        curvature = (p * (1 - p)).clamp(min=1e-12)
        step, step_bias = _newton_step(x, kernel, curvature, gradient, slope, l2)
        decrement = -(gradient * step).sum(-1) - slope * step_bias

        change = torch.einsum("lnd,ld->ln", x, step) + step_bias[:, None]
        length = _step_length(logits, change, y, weight, step, decrement, l2)
        weight = weight + length[:, None] * step
        bias = bias + length * step_bias
        logits = logits + length[:, None] * change
        if float(decrement.max()) < 1e-10:
            break
    return weight, bias


def _newton_step(
    x: Float[Tensor, "layers n d"],
    kernel: Float[Tensor, "layers n n"] | None,
    curvature: Float[Tensor, "layers n"],
    gradient: Float[Tensor, "layers d"],
    slope: Float[Tensor, "layers"],
    l2: float,
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers"]]:
    """The Newton step of weight and bias.

    With the bias eliminated, the Hessian of the weight is R'R + l2 I, where the rows of R
    are the states, centred and weighted by their curvature. Given a kernel x x' (more
    features than examples) it is inverted in the space of the examples, by Woodbury's
    identity.
    """
    n = x.shape[1]
    total = curvature.sum(-1)
    share = curvature / total[:, None]
    centre = torch.einsum("ln,lnd->ld", share, x)
    target = centre * slope[:, None] - gradient
    root = (curvature / n).sqrt()[..., None]
    if kernel is None:
        r = (x - centre[:, None]) * root
        step = _solve(r.mT @ r, l2, target)
    else:
        inner = torch.einsum("lnm,lm->ln", kernel, share)
        centred = kernel - inner[:, None] - inner[..., None]
        centred = centred + (inner * share).sum(-1)[:, None, None]
        along = torch.einsum("lnd,ld->ln", x, target) - (centre * target).sum(-1, keepdim=True)
        dual = _solve(centred * root * root.mT, l2, along * root[..., 0]) * root[..., 0]
        back = torch.einsum("ln,lnd->ld", dual, x) - dual.sum(-1, keepdim=True) * centre
        step = (target - back) / l2
    return step, -slope * n / total - (centre * step).sum(-1)


def _solve(
    matrix: Float[Tensor, "layers k k"], ridge: float, target: Float[Tensor, "layers k"]
) -> Float[Tensor, "layers k"]:
    """Solve (matrix + ridge I) v = target by Cholesky; `matrix` is changed in place."""
    matrix.diagonal(dim1=-2, dim2=-1).add_(ridge)
    return torch.cholesky_solve(target[..., None], torch.linalg.cholesky(matrix))[..., 0]


def _step_length(
    logits: Float[Tensor, "layers n"],
    change: Float[Tensor, "layers n"],
    y: Float[Tensor, "n"],
    weight: Float[Tensor, "layers d"],
    step: Float[Tensor, "layers d"],
    decrement: Float[Tensor, "layers"],
    l2: float,
) -> Float[Tensor, "layers"]:
    """The largest of 1, 1/2, 1/4, ... that lowers the loss of a layer enough (Armijo)."""

    def loss(length: Float[Tensor, "layers"]) -> Float[Tensor, "layers"]:
        f = logits + length[:, None] * change
        w = weight + length[:, None] * step
        return (softplus(f) - y * f).mean(-1) + l2 / 2 * w.square().sum(-1)

    length = torch.ones_like(decrement)
    before = loss(torch.zeros_like(length))
    for _ in range(40):
        too_long = loss(length) > before - 1e-4 * length * decrement + 1e-14 * before
        if not bool(too_long.any()):
            break
        length = torch.where(too_long, length / 2, length)
    return length
