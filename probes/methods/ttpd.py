"""Training of truth and polarity directions (Bürger et al. 2024, arXiv 2407.12831)."""

from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.linear import LinearProbe
from probes.numerics.logistic import logistic_optimum
from probes.registry import register_probe

L2 = 5e-4
"""The penalty of both logistic regressions, L2 |w|^2 on standardised features."""


@register_probe
class TruthPolarityDirections(LinearProbe):
    """Log-odds from the projections on a truth direction and a polarity direction.

    With truth t and polarity p (each -1 or 1) of a claim, the centred states are regressed on t
    and t p by least squares. The coefficients are t_G, along which truth moves affirmative and
    negated claims in the same way, and t_P, along which it moves them in opposite ways (section 3
    of the paper). t_P is dropped: the score is a logistic regression on the projections on t_G and
    on the direction that a logistic regression finds for polarity (section 5). t_G and the score
    are learned from labels only.

    If all claims have one polarity, or `polarity` is not given, t and t p cannot be separated and
    there is no polarity direction. The score is then the logistic regression on the projection on
    the coefficient of t alone, which is the direction of the difference of the means.

    The paper centres the states of each topic separately. A fit here sees one task, so there is
    one mean. The logistic regressions of its code have no penalty and thus no optimum for
    separable classes; these have one of 5e-4 |w|^2 on standardised features, half that of `lr`.
    """

    name = "ttpd"
    reads = "prompt"
    supervision = "labels"
    needs = ("polarity",)
    calibrated = True

    def fit(
        self,
        x: Float[Tensor, "*layers n d"],
        y: Bool[Tensor, "n"],
        *,
        polarity: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Find both directions of every layer, then fit the score.

        Raises:
            ValueError: if `polarity` has more than two codes.
        """
        negated = _negated(polarity)
        weights, biases = [], []
        for layers in self.chunks(x):
            states = layers.double()
            axes = [truth_direction(states, y, negated)]
            if negated is not None:
                axes.append(logistic_optimum(layers, negated, L2)[0])
            plane = torch.stack(axes, dim=1)
            factors, bias = logistic_optimum(states @ plane.mT, y, L2)
            weights.append(torch.einsum("lk,lkd->ld", factors, plane))
            biases.append(bias)
        return self.set_direction(x, torch.cat(weights), torch.cat(biases))


def truth_direction(
    states: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], negated: Bool[Tensor, "n"] | None
) -> Float[Tensor, "layers d"]:
    """Return t_G: the least-squares coefficient of truth, next to that of truth times polarity."""
    design = y.to(states.dtype)[:, None] * 2 - 1
    if negated is not None:
        design = torch.cat([design, torch.where(negated[:, None], -design, design)], dim=1)
    coefficient = torch.linalg.solve(design.mT @ design, design.mT)[0]
    centred = states - states.mean(1, keepdim=True)
    return torch.einsum("n,lnd->ld", coefficient, centred)


def _negated(polarity: Int[Tensor, "n"] | None) -> Bool[Tensor, "n"] | None:
    """Return which claims have the lower code, or None if there is only one code."""
    if polarity is None:
        return None
    codes = torch.unique(polarity)
    if len(codes) > 2:
        raise ValueError(f"polarity has {len(codes)} codes; give two, negated and affirmative")
    return polarity == codes[0] if len(codes) == 2 else None
