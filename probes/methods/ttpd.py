"""Truth and polarity direction (Bürger et al. 2024, arXiv 2407.12831)."""

from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.base import LinearProbe
from probes.methods.logistic import logistic_optimum

L2 = 1e-3
"""The penalty of both logistic regressions, on standardised features."""


class TruthAndPolarity(LinearProbe):
    """Log-odds from where a state lies on the truth direction and on the polarity direction.

    With truth t and polarity p (each -1 or 1) of a claim, the centred states are regressed on t
    and t p by least squares; the coefficients are t_G, along which truth moves affirmative and
    negated claims alike, and t_P, along which it moves them apart (section 3 of the paper). t_P
    is dropped: the score is a logistic regression on the place along t_G and along the direction
    that a logistic regression finds for polarity (section 5). Labels are all that t_G and the
    score are learned from.

    Where all claims have one polarity, or `polarity` is not given, t and t p cannot be told
    apart and there is no polarity to find. The score is then the logistic regression on the
    place along the coefficient of t alone, which is the direction of the difference of the means.

    The paper centres the states of each topic by themselves; a fit is given one task, so that is
    one mean here. The logistic regressions of its code have no penalty, which leaves them without
    an optimum where the classes can be separated; these have that of `lr`.
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
        """Find both directions of every layer, then the score.

        Raises ValueError when `polarity` has more than two codes.
        """
        negated = _negated(polarity)
        weights, biases = [], []
        for layers in self.chunks(x):
            states = layers.double()
            axes = [truth_direction(states, y, negated)]
            if negated is not None:
                axes.append(logistic_optimum(layers, negated, L2)[0])
            plane = torch.stack(axes, dim=1)
            scale, bias = logistic_optimum(states @ plane.mT, y, L2)
            weights.append(torch.einsum("lk,lkd->ld", scale, plane))
            biases.append(bias)
        return self.set_direction(x, torch.cat(weights), torch.cat(biases))


def truth_direction(
    states: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], negated: Bool[Tensor, "n"] | None
) -> Float[Tensor, "layers d"]:
    """t_G: the least-squares coefficient of truth beside truth times polarity."""
    design = y.to(states.dtype)[:, None] * 2 - 1
    if negated is not None:
        design = torch.cat([design, torch.where(negated[:, None], -design, design)], dim=1)
    coefficient = torch.linalg.solve(design.mT @ design, design.mT)[0]
    centred = states - states.mean(1, keepdim=True)
    return torch.einsum("n,lnd->ld", coefficient, centred)


def _negated(polarity: Int[Tensor, "n"] | None) -> Bool[Tensor, "n"] | None:
    """Which claims have the lower code; None where all have one."""
    if polarity is None:
        return None
    codes = torch.unique(polarity)
    if len(codes) > 2:
        raise ValueError(f"polarity has {len(codes)} codes; give two, negated and affirmative")
    return polarity == codes[0] if len(codes) == 2 else None
