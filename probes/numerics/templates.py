"""Linear probes on contrast pairs with a map for each template, and what standardises them."""

from typing import ClassVar, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from probes.base import LinearProbe
from probes.numerics.scaling import feature_scale

LEAST = 30
"""A template of fewer pairs has means and spreads too uncertain to standardise by."""


class TemplatedProbe(LinearProbe):
    """A linear probe on pairs that may hold further maps, one for each template that it knows.

    `weight` and `bias` score what is of no known template. `template_codes` (t) names the known
    ones; `template_weight` (*layers, t, 2, d) and `template_bias` (*layers, t) are theirs.
    """

    template_codes: Int[Tensor, "t"]
    template_weight: Float[Tensor, "*layers t 2 d"]
    template_bias: Float[Tensor, "*layers t"]
    kept: ClassVar[tuple[str, ...]] = (
        *("weight", "bias"),
        *("template_codes", "template_weight", "template_bias"),
    )

    @staticmethod
    def known_templates(
        template: Int[Tensor, "n"] | None, n: int, device: torch.device
    ) -> tuple[Int[Tensor, "t"], Int[Tensor, "n"]]:
        """The codes of templates of at least `LEAST` pairs, and the place of each pair's in them.

        Pairs of other templates have the place t; without `template` all have.
        """
        if template is None:
            return torch.empty(0, dtype=torch.long, device=device), torch.zeros(
                n, dtype=torch.long, device=device
            )
        codes, member, counts = torch.unique(template, return_inverse=True, return_counts=True)
        enough = counts >= LEAST
        place = torch.where(enough, enough.cumsum(0) - 1, int(enough.sum()))
        return codes[enough].long(), place[member]

    def set_direction(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        weight: Float[Tensor, "layers k"],
        bias: Float[Tensor, "layers"],
    ) -> Self:
        """Keep one map for all templates."""
        known = torch.empty(0, dtype=torch.long, device=weight.device)
        pairs = weight.unflatten(-1, (2, -1))[:, None]
        return self.set_maps(x, known, pairs, bias[:, None])

    def set_maps(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        known: Int[Tensor, "t"],
        weight: Float[Tensor, "layers t+1 2 d"],
        bias: Float[Tensor, "layers t+1"],
    ) -> Self:
        """Keep the maps of the known templates and, as the last, that of all others."""
        super().set_direction(x, weight[:, -1].flatten(-2), bias[:, -1])
        layers = x.shape[:-3]
        self.template_codes = known
        self.template_weight = weight[:, :-1].reshape(*layers, *weight[0, :-1].shape)
        self.template_bias = bias[:, :-1].reshape(*layers, len(known))
        return self

    def score(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        *,
        template: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Float[Tensor, "*layers n"]:
        """Each example by the map of its template."""
        scores = self.affine(x, self.weight, self.bias)
        if template is None:
            return scores
        for i, code in enumerate(self.template_codes.to(x.device)):
            asked = (template == code).nonzero()[:, 0]
            if len(asked):
                weight, bias = self.template_weight[..., i, :, :], self.template_bias[..., i]
                scores[..., asked] = self.affine(x.index_select(-3, asked), weight, bias)
        return scores


def standardised_by_template(
    pairs: Float[Tensor, "n 2 d"], member: Int[Tensor, "n"], known: int, spread: bool
) -> tuple[Float[Tensor, "2 n d"], Float[Tensor, "known+1 2 d"], Float[Tensor, "known+1 2 d"]]:
    """States less the mean of their answer in their template and divided by its spread.

    Also those means and spreads, in float64; the last are of all templates together, for pairs
    whose `member` is `known`. Without `spread` all are divided by one number, the root mean
    square of the centred states. A feature that does not vary has an infinite spread.
    """
    states = pairs.transpose(0, 1)
    parts = [states[:, member == group] for group in range(known)]
    moments = [feature_scale(part) for part in (*parts, states)]
    means, scales = (torch.stack(part) for part in zip(*moments, strict=True))
    centred = states.double() - means[member].transpose(0, 1)
    if not spread:
        scales = torch.where(scales.isinf(), scales, centred.square().mean().sqrt())
    return centred / scales[member].transpose(0, 1), means, scales
