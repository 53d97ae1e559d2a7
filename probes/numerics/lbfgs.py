"""L-BFGS on many independent problems at once (Liu and Nocedal 1989)."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SUFFICIENT_DECREASE = 1e-4

MIN_CURVATURE = 1e-8

SHORTEST_STEP = 2.0**-40
"""A problem whose step was halved to this length cannot descend any further and stops."""

MAX_GAP = 400.0
"""A restart is dropped when its gap to the best exceeds this multiple of its predicted decrease."""


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
    restarts: bool = False,
) -> Float[Tensor, "*problems k"]:
    """Return a local minimum of each problem, from its own start.

    All problems are evaluated together: a problem whose trial point lowers its value enough
    (Armijo) takes the step, the others halve theirs. No problem influences another, unless they
    are `restarts`. The search ends when the largest entry of every gradient is below `tolerance`,
    when no step lowers a value any more, or after `evaluations` evaluations.

    Args:
        objective: returns the values and gradients of all problems.
        start: the first point of each problem.
        evaluations: the most evaluations of the objective.
        history: the number of steps that the inverse-Hessian estimate is built from.
        tolerance: where the search ends; see above and `precondition`.
        precondition: an approximate inverse Hessian, as a fixed linear map of gradients. With
            one, the first step is along its image of the gradient, and the search ends when the
            root of gradient . precondition(gradient) is below `tolerance`. Half the square of that
            root estimates the value minus its minimum.
        rounding: the relative error of the values; by default that of their precision.
        restarts: whether all problems (one axis of them) share one objective, differ only in their
            start, and only the lowest minimum is wanted. A problem is then dropped where it is when
            its value exceeds the lowest by `MAX_GAP` times its predicted decrease (half of
            gradient . direction). As soon as half of the problems have stopped, the objective is
            evaluated for the rest only.
    """
    inverse = precondition or (lambda gradient: gradient)
    point = start
    value, gradient = objective(point)
    rounding = rounding or 4 * torch.finfo(value.dtype).eps
    image = inverse(gradient)
    steps = changes = images = start.new_empty(0, *start.shape)
    direction = -image
    length = torch.ones_like(value)
    result, remaining = start.clone(), torch.arange(len(start), device=start.device)
    if precondition is None:
        length = 1 / gradient.norm(dim=-1).clamp(min=1)
    for _ in range(evaluations - 1):
        if precondition is None:
            slack = gradient.abs().amax(-1)
        else:
            slack = (gradient * image).sum(-1).clamp(min=0).sqrt()
        active = (slack > tolerance) & (length > SHORTEST_STEP)
        if restarts:
            decrease = -(gradient * direction).sum(-1) / 2
            active &= value - MAX_GAP * decrease <= value.min()
        if not bool(active.any()):
            break
        if restarts and 2 * int(active.sum()) <= len(active):
            result[remaining], remaining = point, remaining[active]
            point, value, gradient, image = (t[active] for t in (point, value, gradient, image))
            direction, length = direction[active], length[active]
            steps, changes, images = (t[:, active] for t in (steps, changes, images))
            active = active[active]
        trial = point + length[..., None] * direction
        trial_value, trial_gradient = objective(trial)
        slope = (gradient * direction).sum(-1)
        bound = value + SUFFICIENT_DECREASE * length * slope
        accepted = active & (trial_value <= bound + rounding * value.abs())

        moves = accepted[..., None]
        steps = _push(steps, trial - point, moves, history)
        changes = _push(changes, trial_gradient - gradient, moves, history)
        point = torch.where(moves, trial, point)
        gradient = torch.where(moves, trial_gradient, gradient)
        value = torch.where(accepted, trial_value, value)
        if precondition is None:
            image, images = gradient, changes
        else:
            previous, image = image, torch.where(moves, inverse(trial_gradient), image)
            images = _push(images, image - previous, moves, history)
        direction = torch.where(moves, _descent(gradient, image, steps, changes, images), direction)
        length = torch.where(accepted, 1.0, length / 2)
    result[remaining] = point
    return result


def _push(
    entries: Float[Tensor, "slots *problems k"],
    newest: Float[Tensor, "*problems k"],
    moves: Bool[Tensor, "*problems 1"],
    history: int,
) -> Float[Tensor, "slots_after *problems k"]:
    """Insert the newest entry in front for the problems that moved, up to `history` slots."""
    if len(entries) < history:
        entries = torch.cat([entries, torch.zeros_like(newest)[None]])
    return torch.where(moves, torch.cat([newest[None], entries[:-1]]), entries)


def _descent(
    gradient: Float[Tensor, "*problems k"],
    image: Float[Tensor, "*problems k"],
    steps: Float[Tensor, "slots *problems k"],
    changes: Float[Tensor, "slots *problems k"],
    images: Float[Tensor, "slots *problems k"],
) -> Float[Tensor, "*problems k"]:
    """Return minus the inverse-Hessian estimate times the gradient (two-loop recursion).

    `image` and `images` are the preconditioner's images of the gradient and of its changes; since
    it is linear, it need not be applied again. Pairs without positive curvature, and slots that
    are not filled yet, are ignored.
    """
    curvature = (steps * changes).sum(-1)
    squared = (changes[0] * images[0]).sum(-1)
    usable = curvature > MIN_CURVATURE * steps.square().sum(-1)
    rho = torch.where(usable, 1 / torch.where(usable, curvature, 1.0), 0.0)

    residual, result = gradient, image
    alphas = []
    for step, change, change_image, weight in zip(steps, changes, images, rho, strict=True):
        alpha = weight * (step * residual).sum(-1)
        residual = residual - alpha[..., None] * change
        result = result - alpha[..., None] * change_image
        alphas.append(alpha)
    scale = torch.where(usable[0], curvature[0] / squared.clamp(min=1e-300), 1.0)
    result = scale[..., None] * result
    for i in reversed(range(len(steps))):
        beta = rho[i] * (changes[i] * result).sum(-1)
        result = result + (alphas[i] - beta)[..., None] * steps[i]
    return -result
