"""Linear probes on contrast pairs with a separate map for each template."""

from typing import ClassVar, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from probes.linear import LinearProbe


class TemplatedProbe(LinearProbe):
    """A linear probe on pairs that may have a separate map for each of t templates.

    `template_codes` (t) are their codes, `template_weight` `(*layers, t, 2, d)` and `template_bias`
    `(*layers, t)` their maps. `weight` and `bias` score the pairs of all other templates.
    """

    template_codes: Int[Tensor, "t"]
    template_weight: Float[Tensor, "*layers t 2 d"]
    template_bias: Float[Tensor, "*layers t"]
    tensor_names: ClassVar[tuple[str, ...]] = (
        *LinearProbe.tensor_names,
        *("template_codes", "template_weight", "template_bias"),
    )

    def set_direction(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        weight: Float[Tensor, "layers k"],
        bias: Float[Tensor, "layers"],
    ) -> Self:
        """Set one map for all templates, and return the probe."""
        no_codes = torch.empty(0, dtype=torch.long, device=weight.device)
        pair_weight = weight.unflatten(-1, (2, -1))[:, None]
        return self.set_maps(x, no_codes, pair_weight, bias[:, None])

    def set_maps(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        codes: Int[Tensor, "t"],
        weight: Float[Tensor, "layers t+1 2 d"],
        bias: Float[Tensor, "layers t+1"],
    ) -> Self:
        """Set the maps of the templates `codes` and, as the last, that of all others."""
        super().set_direction(x, weight[:, -1].flatten(-2), bias[:, -1])
        layers = x.shape[:-3]
        self.template_codes = codes
        self.template_weight = weight[:, :-1].reshape(*layers, *weight[0, :-1].shape)
        self.template_bias = bias[:, :-1].reshape(*layers, len(codes))
        return self

    def score(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        *,
        template: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Float[Tensor, "*layers n"]:
        """Score each example by the map of its template."""
        scores = self.affine(x, self.weight, self.bias)
        if template is None:
            return scores
        for i, code in enumerate(self.template_codes.to(x.device)):
            examples = (template == code).nonzero()[:, 0]
            if len(examples):
                weight, bias = self.template_weight[..., i, :, :], self.template_bias[..., i]
                scores[..., examples] = self.affine(x.index_select(-3, examples), weight, bias)
        return scores
