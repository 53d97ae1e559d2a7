"""L-BFGS on many independent problems at once (Liu and Nocedal 1989)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

SUFFICIENT_DECREASE = 1e-4

LEAST_CURVATURE = 1e-8

SHORTEST_STEP = 2.0**-40
"""A problem whose step had to be halved to this has no descent left and rests."""


def minimise(
    objective: Callable[
        [Float[Tensor, "*problems k"]],
        tuple[Float[Tensor, "*problems"], Float[Tensor, "*problems k"]],
    ],
    start: Float[Tensor, "*problems k"],
    *,
    evaluations: int = 1000,
    history: int = 10,
    tolerance: float = 1e-6,
    precondition: Callable[[Float[Tensor, "*problems k"]], Float[Tensor, "*problems k"]]
    | None = None,
) -> Float[Tensor, "*problems k"]:
    """A local minimum of each problem, from its own start.

    `objective` gives values and gradients of all problems. Every evaluation serves all of
    them: a problem whose trial point lowers its value enough (Armijo) takes the step, the
    others halve theirs. No problem influences another. It ends when the largest entry of
    every gradient is below `tolerance` (or no step lowers the value any more), or after this
    many evaluations.

    `precondition` maps gradients to what an approximate inverse Hessian, the same throughout,
    makes of them. Given one, the first step is along it, and the search ends when the root of
    gradient . precondition(gradient) is below `tolerance`: half its square estimates how far
    the value is above the minimum.
    """
    inverse = precondition or (lambda gradient: gradient)
    point = start
    value, gradient = objective(point)
    steps = start.new_zeros(history, *start.shape)
    changes = torch.zeros_like(steps)
    direction = -inverse(gradient)
    length = torch.ones_like(value)
    if precondition is None:
        length = 1 / gradient.norm(dim=-1).clamp(min=1)
    for _ in range(evaluations - 1):
        if precondition is None:
            slack = gradient.abs().amax(-1)
        else:
            slack = (gradient * inverse(gradient)).sum(-1).clamp(min=0).sqrt()
        active = (slack > tolerance) & (length > SHORTEST_STEP)
        if not bool(active.any()):
            break
        trial = point + length[..., None] * direction
        trial_value, trial_gradient = objective(trial)
        slope = (gradient * direction).sum(-1)
        bound = value + SUFFICIENT_DECREASE * length * slope
        rounding = 4 * torch.finfo(value.dtype).eps * value.abs()
        accepted = active & (trial_value <= bound + rounding)

        taken = accepted[..., None]
        steps = torch.where(taken, _pushed(steps, trial - point), steps)
        changes = torch.where(taken, _pushed(changes, trial_gradient - gradient), changes)
        point = torch.where(taken, trial, point)
        gradient = torch.where(taken, trial_gradient, gradient)
        value = torch.where(accepted, trial_value, value)
        direction = torch.where(taken, _descent(gradient, steps, changes, inverse), direction)
        length = torch.where(accepted, 1.0, length / 2)
    return point


def _pushed(
    kept: Float[Tensor, "history *problems k"], newest: Float[Tensor, "*problems k"]
) -> Float[Tensor, "history *problems k"]:
    return torch.cat([newest[None], kept[:-1]])


def _descent(
    gradient: Float[Tensor, "*problems k"],
    steps: Float[Tensor, "history *problems k"],
    changes: Float[Tensor, "history *problems k"],
    inverse: Callable[[Float[Tensor, "*problems k"]], Float[Tensor, "*problems k"]],
) -> Float[Tensor, "*problems k"]:
    """Minus the inverse-Hessian estimate times the gradient, newest pair first.

    A pair along which there is next to no positive curvature (or a slot not yet filled) has
    no part in it.
    """
    curvature = (steps * changes).sum(-1)
    squared = (changes[0] * inverse(changes[0])).sum(-1)
    usable = curvature > LEAST_CURVATURE * steps.square().sum(-1)
    rho = torch.where(usable, 1 / torch.where(usable, curvature, 1.0), 0.0)

    result = gradient
    alphas = []
    for step, change, weight in zip(steps, changes, rho, strict=True):
        alpha = weight * (step * result).sum(-1)
        result = result - alpha[..., None] * change
        alphas.append(alpha)
    newest = torch.where(usable[0], curvature[0] / squared.clamp(min=1e-300), 1.0)
    result = newest[..., None] * inverse(result)
    for i in reversed(range(len(steps))):
        beta = rho[i] * (changes[i] * result).sum(-1)
        result = result + (alphas[i] - beta)[..., None] * steps[i]
    return -result
