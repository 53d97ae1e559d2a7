"""Contrast-consistent search (Burns et al. 2022, arXiv 2212.03827)."""

import math
from typing import Literal, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.numerics.erasure import answer_and_template, erased_pairs
from probes.numerics.lbfgs import minimise
from probes.numerics.orientation import orientation, oriented
from probes.numerics.precision import ROUNDING, pass_precision
from probes.numerics.templates import TemplatedProbe, standardised_by_template

NORMS = ("leace", "burns", "meanonly")

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5}
"""Of the largest entry of a restart's gradient, where its search ends."""


class ContrastConsistentSearch(TemplatedProbe):
    """A linear probe whose verdicts on the two answers of a claim exclude each other.

    It minimises mean [(p1 + p0 - 1)^2 + min(p1, p0)^2] + weight_decay/2 |theta|^2, where
    p1 and p0 are the probabilities that the probe gives to the states at the true and the
    false answer token (section 2.2 of the paper), with L-BFGS from random unit vectors, and
    keeps the restart with the lowest unsupervised loss. A restart that is too far behind to become
    that one is given up (`probes.numerics.lbfgs`).

    Labels orient and scale the axis that was found without them (a logistic regression on
    that one feature), nothing else.

    First it is taken from the states which answer, in which template, they belong to, by `norm`:

    - "leace", the default, as in arXiv 2312.01037: the states are scaled by their spread within
      each answer and template, and LEACE (arXiv 2306.03819) erases the two. The eraser is one
      affine map, so a template that was not seen gets the same as all others.
    - "burns", the paper's own: of each answer in each template the mean is subtracted and every
      feature is divided by its standard deviation.
    - "meanonly": of each answer in each template the mean is subtracted. All features are then
      divided by one number, the root of their mean square, which changes no direction: it makes
      the search independent of the unit of the states.

    With the last two a template that was not seen, or of fewer than 30 pairs, gets the mean and
    the spread of all templates together. The score is the difference of the two logits, where
    the paper averages two probabilities: that keeps it affine.
    """

    name = "ccs"
    reads = "pair"
    supervision = "sign"
    needs = ("template",)
    calibrated = True

    def __init__(
        self,
        *,
        seed: int = 0,
        restarts: int = 10,
        weight_decay: float = 0.01,
        norm: Literal["leace", "burns", "meanonly"] = "leace",
    ) -> None:
        if not (isinstance(restarts, int) and restarts >= 1):
            raise ValueError(f"restarts must be a whole number of at least 1, not {restarts!r}")
        if not (math.isfinite(weight_decay) and weight_decay >= 0):
            raise ValueError(f"weight_decay must be 0 or more, not {weight_decay!r}")
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, not {norm!r}")
        super().__init__(seed=seed, restarts=restarts, weight_decay=weight_decay, norm=norm)
        self.restarts = restarts
        self.weight_decay = weight_decay
        self.norm = norm

    def fit(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        y: Bool[Tensor, "n"],
        *,
        template: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Search all layers and restarts at once; without `template` all are of one.

        Raises ValueError when there are so many templates that erasing them leaves nothing.
        """
        if self.norm == "leace":
            return self._fit_erased(x, y, template)
        return self._fit_standardised(x, y, template)

    def _fit_erased(
        self, x: Float[Tensor, "*layers n 2 d"], y: Bool[Tensor, "n"], template: Tensor | None
    ) -> Self:
        groups = answer_and_template(template, x, self.name)
        axes = []
        for layers in self.chunks(x):
            erased = [erased_pairs(layer.unflatten(-1, (2, -1)), groups) for layer in layers]
            pairs, maps = (torch.stack(part) for part in zip(*erased, strict=True))
            axes.append(torch.einsum("lde,ld->le", maps, self._directions(pairs)))
        found = torch.cat(axes)
        both = torch.cat([-found, found], dim=-1)
        return self.set_direction(x, *oriented(self.rows(x), both, y))

    def _fit_standardised(
        self, x: Float[Tensor, "*layers n 2 d"], y: Bool[Tensor, "n"], template: Tensor | None
    ) -> Self:
        known, member = self.known_templates(template, len(y), x.device)
        weights, biases = [], []
        for layers in self.chunks(x):
            parts = [
                standardised_by_template(pairs, member, len(known), spread=self.norm == "burns")
                for pairs in layers.unflatten(-1, (2, -1))
            ]
            pairs, means, scales = (torch.stack(part) for part in zip(*parts, strict=True))
            direction = self._directions(pairs)
            place = torch.einsum("lnd,ld->ln", pairs[:, 1] - pairs[:, 0], direction)
            factor, bias = orientation(place, y)
            signed = torch.stack([-direction, direction], dim=1) * factor[:, None, None]
            weight = signed[:, None] / scales
            weights.append(weight)
            biases.append(bias[:, None] - (weight * means).sum((-1, -2)))
        return self.set_maps(x, known, torch.cat(weights), torch.cat(biases))

    def _directions(self, pairs: Float[Tensor, "layers 2 n d"]) -> Float[Tensor, "layers d"]:
        found = [search(layer, self.restarts, self.weight_decay, self.seed) for layer in pairs]
        return torch.stack(found)[:, :-1]


def search(
    pairs: Float[Tensor, "2 n d"], restarts: int, weight_decay: float, seed: int
) -> Float[Tensor, "d+1"]:
    """The best restart's weight and bias, in float64: the one of the lowest unsupervised loss."""
    d = pairs.shape[-1]
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(restarts, d + 1, generator=generator, dtype=torch.float64)
    start = (drawn / drawn.norm(dim=-1, keepdim=True)).to(pairs.device)
    # A feature's values side by side: products with the few restarts are faster so.
    by_feature = pairs.flatten(0, 1).mT.to(pass_precision(pairs)).contiguous()
    states = by_feature.mT.unflatten(0, (2, -1))

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = ccs_loss(states, theta)
        penalty = weight_decay / 2 * theta.square().sum(-1)
        return loss + penalty, gradient + weight_decay * theta

    theta = minimise(
        objective,
        start,
        tolerance=TOLERANCE[states.dtype],
        rounding=ROUNDING[states.dtype],
        alike=True,
    )
    return theta[ccs_loss(states, theta)[0].argmin()]


def ccs_loss(
    pairs: Float[Tensor, "2 n d"], theta: Float[Tensor, "restarts d+1"]
) -> tuple[Float[Tensor, "restarts"], Float[Tensor, "restarts d+1"]]:
    """The unsupervised loss of linear probes `theta` (the last entry is the bias), in float64.

    Consistency (p1 + p0 - 1)^2 and confidence min(p1, p0)^2, averaged over the pairs, and
    the gradient of that.
    """
    n = pairs.shape[1]
    states = pairs.flatten(0, 1)
    # One row a restart: a product of so few columns would take twice as long.
    logits = (theta[:, :-1].to(states.dtype) @ states.mT).double() + theta[:, -1:]
    p = logits.sigmoid_()
    p0, p1 = p[:, :n], p[:, n:]
    excess = p0 + p1 - 1
    least = torch.minimum(p0, p1)
    loss = (excess.square() + least.square()).mean(1)

    d_p0 = torch.where(p0 <= p1, excess + least, excess)
    d_p1 = torch.where(p0 <= p1, excess, excess + least)
    d_logits = torch.cat([d_p0, d_p1], dim=1).mul_(p).mul_(1 - p).mul_(2 / n)
    slope = (d_logits.to(states.dtype) @ states).double()
    return loss, torch.cat([slope, d_logits.sum(1)[:, None]], dim=-1)
