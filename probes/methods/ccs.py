"""Contrast-consistent search (Burns et al. 2022, arXiv 2212.03827)."""

import math
from dataclasses import dataclass
from typing import Literal, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.inputs import require_choice
from probes.numerics.erasure import Erasure, erase_groups, erased_groups
from probes.numerics.lbfgs import minimise
from probes.numerics.orientation import fit_orientation, orient_axes
from probes.numerics.precision import ROUNDING, pass_precision
from probes.numerics.templates import group_by_template, standardise_by_template
from probes.registry import register_probe
from probes.templated import TemplatedProbe

Norm = Literal[Erasure, "burns", "meanonly"]

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5}
"""The search of a restart ends when the largest entry of its gradient is below this."""


@register_probe
class ContrastConsistentSearch(TemplatedProbe):
    """A linear probe whose probabilities for the two answers of a claim are consistent.

    It minimises mean [(p1 + p0 - 1)^2 + min(p1, p0)^2] + weight_decay/2 |theta|^2, where p1 and p0
    are the probe's probabilities for the states at the true and the false answer token (section
    2.2 of the paper) and theta is the probe's weight and bias. L-BFGS starts from random points,
    and the restart with the lowest unsupervised loss is used.

    The axis is found without labels. Labels then orient and scale it by a logistic regression on
    the projection, and have no other use.

    First `norm` removes from the states which answer they belong to:

    - "leace", the default, as in the code of arXiv 2312.01037: LEACE (arXiv 2306.03819) erases the
      answer, whatever the template. States are neither centred nor scaled, so the unit of the
      states decides how much the penalty weighs. Starts are those of a linear layer of PyTorch.
    - "leace-template-raw": the same, but the answer in each template is erased, as that code does
      if a question is given in several templates (the paper's runs give it one).
    - "leace-template": states are centred and scaled by their spread within each answer and
      template, and LEACE erases the answer in each template. The unit of the states has no effect.
    - "burns", as in the paper: for each answer in each template, the mean is subtracted and every
      feature is divided by its standard deviation.
    - "meanonly": for each answer in each template, the mean is subtracted. All features are then
      divided by one number, the root of their mean square. This changes no direction, and makes
      the search independent of the unit of the states.

    The last three start from random unit vectors, as the paper does, and drop a restart that is too
    far behind to become the best (`probes.numerics.lbfgs`). On states that are centred and
    scaled already, "leace" and, without `template`, "leace-template" find the same axis. An eraser
    is one affine map, so it also applies to templates that were not in the fit.

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
        require_choice("norm", norm, Norm)
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
        if self.norm == "burns" or self.norm == "meanonly":
            return self._fit_standardised(x, y, template)
        return self._fit_erased(x, y, template, self.norm)

    def _fit_erased(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        y: Bool[Tensor, "n"],
        template: Tensor | None,
        erasure: Erasure,
    ) -> Self:
        groups = erased_groups(erasure, template, x, self.name)
        axes = []
        for layer in self.rows(x):
            erased = erase_groups(layer.unflatten(-1, (2, -1)), groups, erasure)
            is_raw = erasure != "leace-template"
            frame = RawFrame(erased.centre, float(erased.scale[0])) if is_raw else None
            direction = self._direction(erased.states, frame) @ erased.linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *orient_axes(self.rows(x), torch.stack(axes), y))

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
            direction = torch.stack([self._direction(layer, None) for layer in pairs])
            projections = torch.einsum("lnd,ld->ln", pairs[:, 1] - pairs[:, 0], direction)
            factor, bias = fit_orientation(projections, y)
            pair_direction = torch.stack([-direction, direction], dim=1) * factor[:, None, None]
            weight = pair_direction[:, None] / scales
            weights.append(weight)
            biases.append(bias[:, None] - (weight * means).sum((-1, -2)))
        return self.set_maps(x, codes, torch.cat(weights), torch.cat(biases))

    def _direction(
        self, pairs: Float[Tensor, "2 n d"], frame: "RawFrame | None"
    ) -> Float[Tensor, "d"]:
        return search_restarts(pairs, self.restarts, self.weight_decay, self.seed, frame)[:-1]


@dataclass(frozen=True)
class RawFrame:
    """How a probe w.x + b on states x acts on the states z = x / scale - centre.

    It is phi.z + beta there, with phi = scale w and beta = b + phi.centre. A search in (w, b) that
    reads z loses no digits where x is far from the origin.
    """

    centre: Float[Tensor, "d"]
    """The mean of the states in units of `scale`."""
    scale: float

    def starts(self, uniform: Float[Tensor, "restarts d+1"]) -> Float[Tensor, "restarts d+1"]:
        """Return the starts of a linear layer of PyTorch, from numbers uniform in 0 to 1."""
        return (2 * uniform - 1) / math.sqrt(len(self.centre))

    def standardise(self, theta: Float[Tensor, "restarts d+1"]) -> Float[Tensor, "restarts d+1"]:
        """Return (phi, beta) of (w, b)."""
        phi = self.scale * theta[:, :-1]
        return torch.cat([phi, (theta[:, -1] + phi @ self.centre)[:, None]], dim=-1)

    def raw_gradient(
        self, gradient: Float[Tensor, "restarts d+1"]
    ) -> Float[Tensor, "restarts d+1"]:
        """Return the gradient in (w, b) of a loss with this gradient in (phi, beta)."""
        slope = self.scale * (gradient[:, :-1] + gradient[:, -1:] * self.centre)
        return torch.cat([slope, gradient[:, -1:]], dim=-1)

    def tolerance(self, dtype: torch.dtype) -> float:
        """Return where the search in (w, b) ends, for states z of this precision.

        The gradient has the unit of x. Where x is large, a float32 pass cannot resolve less than
        its rounding error times that unit.
        """
        unit = self.scale if dtype == torch.float32 else min(self.scale, 1.0)
        return TOLERANCE[dtype] * unit


def search_restarts(
    pairs: Float[Tensor, "2 n d"],
    restarts: int,
    weight_decay: float,
    seed: int,
    frame: RawFrame | None = None,
) -> Float[Tensor, "d+1"]:
    """Return the weight and bias of the restart with the lowest unsupervised loss, in float64.

    They act on `pairs`. With a `frame`, the search and the penalty are in the weight and bias on
    raw states.
    """
    d = pairs.shape[-1]
    generator = torch.Generator().manual_seed(seed)
    # With a feature's values contiguous, products with the few restarts are faster.
    by_feature = pairs.flatten(0, 1).mT.to(pass_precision(pairs)).contiguous()
    states = by_feature.mT.unflatten(0, (2, -1))
    tolerance = TOLERANCE[states.dtype]
    if frame is None:
        normal = torch.randn(restarts, d + 1, generator=generator, dtype=torch.float64)
        start = normal / normal.norm(dim=-1, keepdim=True)
    else:
        start = frame.starts(torch.rand(restarts, d + 1, generator=generator, dtype=torch.float64))
        tolerance = frame.tolerance(states.dtype)

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        if frame is None:
            loss, gradient = ccs_loss(states, theta)
        else:
            loss, gradient = ccs_loss(states, frame.standardise(theta))
            gradient = frame.raw_gradient(gradient)
        penalty = weight_decay / 2 * theta.square().sum(-1)
        return loss + penalty, gradient + weight_decay * theta

    theta = minimise(
        objective,
        start.to(pairs.device),
        tolerance=tolerance,
        rounding=ROUNDING[states.dtype],
        # Large states saturate the probabilities: a loss falls by leaps that no gap foretells.
        restarts=frame is None,
    )
    theta = theta if frame is None else frame.standardise(theta)
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
