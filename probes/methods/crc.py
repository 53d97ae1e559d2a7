"""Contrastive representation clustering (Burns et al. 2022, arXiv 2212.03827)."""

from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.base import LinearProbe
from probes.numerics.components import top_component
from probes.numerics.erasure import answer_and_template, erased_pairs
from probes.numerics.orientation import oriented


class ContrastiveRepresentationClustering(LinearProbe):
    """The direction along which the difference of the two answers varies most over the claims.

    It is the top principal component of the differences between the states at the true and at
    the false answer token, the variant that the paper calls CRC (TPC). Labels orient and scale
    the axis that was found without them (a logistic regression on that one feature), nothing
    else.

    First the states are scaled by their spread within each answer, as in the paper's section
    2.2, and LEACE (arXiv 2306.03819) erases which answer, in which template, a state belongs
    to; the paper subtracts the means of each instead. arXiv 2312.01037's code, which brought
    LEACE to it, does not scale the features and has one template.
    """

    name = "crc"
    reads = "pair"
    supervision = "sign"
    needs = ("template",)
    calibrated = True

    def fit(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        y: Bool[Tensor, "n"],
        *,
        template: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Find the component layer by layer; without `template` all pairs are of one.

        Raises ValueError when there are so many templates that erasing them leaves nothing.
        """
        groups = answer_and_template(template, x, self.name)
        axes = []
        for layer in self.rows(x):
            (false, true), linear = erased_pairs(layer.unflatten(-1, (2, -1)), groups)
            direction = top_component(true - false) @ linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *oriented(self.rows(x), torch.stack(axes), y))
