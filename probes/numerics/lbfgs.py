"""L-BFGS on many independent problems at once (Liu and Nocedal 1989)."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SUFFICIENT_DECREASE = 1e-4

LEAST_CURVATURE = 1e-8

SHORTEST_STEP = 2.0**-40
"""A problem whose step had to be halved to this has no descent left and rests."""

FARTHEST = 400.0
"""How many times the descent that its quadratic model promises a problem may still be behind."""


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
    rounding: float | None = None,
    alike: bool = False,
) -> Float[Tensor, "*problems k"]:
    """A local minimum of each problem, from its own start.

    `objective` gives values and gradients of all problems. Every evaluation serves all of
    them: a problem whose trial point lowers its value enough (Armijo) takes the step, the
    others halve theirs. No problem influences another. It ends when the largest entry of
    every gradient is below `tolerance` (or no step lowers the value any more), or after this
    many evaluations.

    `precondition` is an approximate inverse Hessian, the same throughout: a linear map of
    gradients. Given one, the first step is along it, and the search ends when the root of
    gradient . precondition(gradient) is below `tolerance`: half its square estimates how far
    the value is above the minimum.

    `rounding` is the relative error of the values, that of their precision if not given.

    `alike` says that all problems (one axis of them) have one objective, differ in their start
    alone, and that only the lowest is wanted. Then one whose value is above the least by more than
    `FARTHEST` times what its quadratic model promises (half of gradient . direction) is given up
    where it is, and the objective is evaluated for those that are not at rest, as soon as half of
    them are.
    """
    inverse = precondition or (lambda gradient: gradient)
    point = start
    value, gradient = objective(point)
    rounding = rounding or 4 * torch.finfo(value.dtype).eps
    image = inverse(gradient)
    steps = changes = images = start.new_empty(0, *start.shape)
    direction = -image
    length = torch.ones_like(value)
    ended, left = start.clone(), torch.arange(len(start), device=start.device)
    if precondition is None:
        length = 1 / gradient.norm(dim=-1).clamp(min=1)
    for _ in range(evaluations - 1):
        if precondition is None:
            slack = gradient.abs().amax(-1)
        else:
            slack = (gradient * image).sum(-1).clamp(min=0).sqrt()
        active = (slack > tolerance) & (length > SHORTEST_STEP)
        if alike:
            promised = -(gradient * direction).sum(-1) / 2
            active &= value - FARTHEST * promised <= value.min()
        if not bool(active.any()):
            break
        if alike and 2 * int(active.sum()) <= len(active):
            ended[left], left = point, left[active]
            point, value, gradient, image = (t[active] for t in (point, value, gradient, image))
            direction, length = direction[active], length[active]
            steps, changes, images = (kept[:, active] for kept in (steps, changes, images))
            active = active[active]
        trial = point + length[..., None] * direction
        trial_value, trial_gradient = objective(trial)
        slope = (gradient * direction).sum(-1)
        bound = value + SUFFICIENT_DECREASE * length * slope
        accepted = active & (trial_value <= bound + rounding * value.abs())

        taken = accepted[..., None]
        steps = _pushed(steps, trial - point, taken, history)
        changes = _pushed(changes, trial_gradient - gradient, taken, history)
        point = torch.where(taken, trial, point)
        gradient = torch.where(taken, trial_gradient, gradient)
        value = torch.where(accepted, trial_value, value)
        if precondition is None:
            image, images = gradient, changes
        else:
            before, image = image, torch.where(taken, inverse(trial_gradient), image)
            images = _pushed(images, image - before, taken, history)
        direction = torch.where(taken, _descent(gradient, image, steps, changes, images), direction)
        length = torch.where(accepted, 1.0, length / 2)
    ended[left] = point
    return ended


def _pushed(
    kept: Float[Tensor, "slots *problems k"],
    newest: Float[Tensor, "*problems k"],
    taken: Bool[Tensor, "*problems 1"],
    history: int,
) -> Float[Tensor, "slots_after *problems k"]:
    """The newest in front, for the problems that took a step; one slot more until all are there."""
    if len(kept) < history:
        kept = torch.cat([kept, torch.zeros_like(newest)[None]])
    return torch.where(taken, torch.cat([newest[None], kept[:-1]]), kept)


def _descent(
    gradient: Float[Tensor, "*problems k"],
    image: Float[Tensor, "*problems k"],
    steps: Float[Tensor, "slots *problems k"],
    changes: Float[Tensor, "slots *problems k"],
    images: Float[Tensor, "slots *problems k"],
) -> Float[Tensor, "*problems k"]:
    """Minus the inverse-Hessian estimate times the gradient, newest pair first.

    `image` and `images` are what the preconditioner makes of the gradient and of its changes: it
    is linear, so it is not applied here again. A pair along which there is next to no positive
    curvature (or a slot not yet filled) has no part in it.
    """
    curvature = (steps * changes).sum(-1)
    squared = (changes[0] * images[0]).sum(-1)
    usable = curvature > LEAST_CURVATURE * steps.square().sum(-1)
    rho = torch.where(usable, 1 / torch.where(usable, curvature, 1.0), 0.0)

    rest, result = gradient, image
    alphas = []
    for step, change, its_image, weight in zip(steps, changes, images, rho, strict=True):
        alpha = weight * (step * rest).sum(-1)
        rest = rest - alpha[..., None] * change
        result = result - alpha[..., None] * its_image
        alphas.append(alpha)
    newest = torch.where(usable[0], curvature[0] / squared.clamp(min=1e-300), 1.0)
    result = newest[..., None] * result
    for i in reversed(range(len(steps))):
        beta = rho[i] * (changes[i] * result).sum(-1)
        result = result + (alphas[i] - beta)[..., None] * steps[i]
    return -result
