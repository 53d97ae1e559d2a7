"""Contrastive representation clustering (Burns et al. 2022, arXiv 2212.03827)."""

from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.inputs import require_choice
from probes.linear import LinearProbe
from probes.numerics.components import top_component
from probes.numerics.erasure import Erasure, erase_groups, erased_groups
from probes.numerics.orientation import orient_axes
from probes.registry import register_probe


@register_probe
class ContrastiveRepresentationClustering(LinearProbe):
    """The top principal component of the differences between true and false answer states.

    This is the variant that the paper calls CRC (TPC). The axis is found without labels. Labels
    then orient and scale it by a logistic regression on the projection, and have no other use.

    First `norm` removes from the states which answer they belong to, by LEACE (arXiv 2306.03819);
    the paper subtracts the mean of each answer in each template instead.

    - "leace", the default, as in the code of arXiv 2312.01037: the answer is erased. Features are
      not scaled, so those with the largest spread dominate.
    - "leace-template-raw": the answer in each template is erased; features are not scaled.
    - "leace-template": the answer in each template is erased from states whose features were
      divided by their spread within each answer and template, as in the paper's section 2.2.
    """

    name = "crc"
    reads = "pair"
    supervision = "sign"
    needs = ("template",)
    calibrated = True

    def __init__(self, *, seed: int = 0, norm: Erasure = "leace") -> None:
        require_choice("norm", norm, Erasure)
        super().__init__(seed=seed, norm=norm)
        self.norm: Erasure = norm

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
        groups = erased_groups(self.norm, template, x, self.name)
        axes = []
        for layer in self.rows(x):
            erased = erase_groups(layer.unflatten(-1, (2, -1)), groups, self.norm)
            false, true = erased.states
            direction = top_component(true - false) @ erased.linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *orient_axes(self.rows(x), torch.stack(axes), y))
