"""Contrast-consistent search (Burns et al. 2022, arXiv 2212.03827)."""

import math
from typing import Literal, Self, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.numerics.erasure import answer_template_codes, erase_groups
from probes.numerics.lbfgs import minimise
from probes.numerics.orientation import fit_orientation, orient_axes
from probes.numerics.precision import ROUNDING, pass_precision
from probes.numerics.templates import group_by_template, standardise_by_template
from probes.registry import register_probe
from probes.templated import TemplatedProbe

Norm = Literal["leace", "burns", "meanonly"]

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5}
"""The search of a restart ends when the largest entry of its gradient is below this."""


@register_probe
class ContrastConsistentSearch(TemplatedProbe):
    """A linear probe whose probabilities for the two answers of a claim are consistent.

    It minimises mean [(p1 + p0 - 1)^2 + min(p1, p0)^2] + weight_decay/2 |theta|^2, where p1 and p0
    are the probe's probabilities for the states at the true and the false answer token (section
    2.2 of the paper). L-BFGS starts from random unit vectors, and the restart with the lowest
    unsupervised loss is used. A restart that is too far behind to become the best is dropped
    (`probes.numerics.lbfgs`).

    The axis is found without labels. Labels then orient and scale it by a logistic regression on
    the projection, and have no other use.

    First `norm` removes from the states which answer, in which template, they belong to:

    - "leace", the default, as in arXiv 2312.01037: states are scaled by their spread within each
      answer and template, and LEACE (arXiv 2306.03819) erases both. The eraser is one affine map,
      so it also applies to templates that were not in the fit.
    - "burns", as in the paper: for each answer in each template, the mean is subtracted and every
      feature is divided by its standard deviation.
    - "meanonly": for each answer in each template, the mean is subtracted. All features are then
      divided by one number, the root of their mean square. This changes no direction, and makes
      the search independent of the unit of the states.

    With "burns" and "meanonly", templates that were not in the fit or have fewer than 30 pairs are
    standardised by the mean and spread of all templates. The score is the difference of the two
    logits, which keeps it affine; the paper averages two probabilities.
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
        norm: Norm = "leace",
    ) -> None:
        if not (isinstance(restarts, int) and restarts >= 1):
            raise ValueError(f"restarts must be a whole number of at least 1, not {restarts!r}")
        if not (math.isfinite(weight_decay) and weight_decay >= 0):
            raise ValueError(f"weight_decay must be 0 or more, not {weight_decay!r}")
        if norm not in get_args(Norm):
            raise ValueError(f"norm must be one of {', '.join(get_args(Norm))}, not {norm!r}")
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
        """Search every layer. Without `template` all pairs have the same template.

        Raises:
            ValueError: if there are so many templates that erasing them leaves nothing.
        """
        if self.norm == "leace":
            return self._fit_erased(x, y, template)
        return self._fit_standardised(x, y, template)

    def _fit_erased(
        self, x: Float[Tensor, "*layers n 2 d"], y: Bool[Tensor, "n"], template: Tensor | None
    ) -> Self:
        groups = answer_template_codes(template, x, self.name)
        chunk_axes = []
        for layers in self.chunks(x):
            parts = [erase_groups(layer.unflatten(-1, (2, -1)), groups) for layer in layers]
            pairs, maps = (torch.stack(part) for part in zip(*parts, strict=True))
            chunk_axes.append(torch.einsum("lde,ld->le", maps, self._directions(pairs)))
        axes = torch.cat(chunk_axes)
        pair_axes = torch.cat([-axes, axes], dim=-1)
        return self.set_direction(x, *orient_axes(self.rows(x), pair_axes, y))

    def _fit_standardised(
        self, x: Float[Tensor, "*layers n 2 d"], y: Bool[Tensor, "n"], template: Tensor | None
    ) -> Self:
        codes, group = group_by_template(template, len(y), x.device)
        weights, biases = [], []
        for layers in self.chunks(x):
            parts = [
                standardise_by_template(pairs, group, len(codes), divide=self.norm == "burns")
                for pairs in layers.unflatten(-1, (2, -1))
            ]
            pairs, means, scales = (torch.stack(part) for part in zip(*parts, strict=True))
            direction = self._directions(pairs)
            projections = torch.einsum("lnd,ld->ln", pairs[:, 1] - pairs[:, 0], direction)
            factor, bias = fit_orientation(projections, y)
            pair_direction = torch.stack([-direction, direction], dim=1) * factor[:, None, None]
            weight = pair_direction[:, None] / scales
            weights.append(weight)
            biases.append(bias[:, None] - (weight * means).sum((-1, -2)))
        return self.set_maps(x, codes, torch.cat(weights), torch.cat(biases))

    def _directions(self, pairs: Float[Tensor, "layers 2 n d"]) -> Float[Tensor, "layers d"]:
        thetas = [
            search_restarts(layer, self.restarts, self.weight_decay, self.seed) for layer in pairs
        ]
        return torch.stack(thetas)[:, :-1]


def search_restarts(
    pairs: Float[Tensor, "2 n d"], restarts: int, weight_decay: float, seed: int
) -> Float[Tensor, "d+1"]:
    """Return the weight and bias of the restart with the lowest unsupervised loss, in float64."""
    d = pairs.shape[-1]
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(restarts, d + 1, generator=generator, dtype=torch.float64)
    start = (normal / normal.norm(dim=-1, keepdim=True)).to(pairs.device)
    # With a feature's values contiguous, products with the few restarts are faster.
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
        restarts=True,
    )
    return theta[ccs_loss(states, theta)[0].argmin()]


def ccs_loss(
    pairs: Float[Tensor, "2 n d"], theta: Float[Tensor, "restarts d+1"]
) -> tuple[Float[Tensor, "restarts"], Float[Tensor, "restarts d+1"]]:
    """Return the unsupervised loss of linear probes `theta`, and its gradient, in float64.

    The loss is consistency (p1 + p0 - 1)^2 plus confidence min(p1, p0)^2, averaged over the pairs.
    The last entry of theta is the bias.
    """
    n = pairs.shape[1]
    states = pairs.flatten(0, 1)
    # One row per restart: a product with so few columns would take twice as long.
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
