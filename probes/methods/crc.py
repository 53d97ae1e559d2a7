"""Contrastive representation clustering (Burns et al. 2022, arXiv 2212.03827)."""

from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.linear import LinearProbe
from probes.numerics.components import top_component
from probes.numerics.erasure import answer_template_codes, erase_groups
from probes.numerics.orientation import orient_axes
from probes.registry import register_probe


@register_probe
class ContrastiveRepresentationClustering(LinearProbe):
    """The top principal component of the differences between true and false answer states.

    This is the variant that the paper calls CRC (TPC). The axis is found without labels. Labels
    then orient and scale it by a logistic regression on the projection, and have no other use.

    First the states are scaled by their spread within each answer, as in the paper's section
    2.2, and LEACE (arXiv 2306.03819) erases the answer and template of each state; the paper
    subtracts the mean of each instead. The code of arXiv 2312.01037, which introduced LEACE here,
    does not scale the features and has one template.
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
        """Find the component of each layer. Without `template` all pairs have the same template.

        Raises:
            ValueError: if there are so many templates that erasing them leaves nothing.
        """
        groups = answer_template_codes(template, x, self.name)
        axes = []
        for layer in self.rows(x):
            (false, true), linear = erase_groups(layer.unflatten(-1, (2, -1)), groups)
            direction = top_component(true - false) @ linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *orient_axes(self.rows(x), torch.stack(axes), y))
