"""Linear artificial tomography: reading by PCA (Zou et al. 2023, arXiv 2310.01405)."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import Reads
from probes.linear import LinearProbe
from probes.numerics.components import top_component
from probes.numerics.orientation import orient_axes
from probes.registry import register_probe


@register_probe
class LinearArtificialTomography(LinearProbe):
    """The reading vector: the direction along which random pairs of claims differ most.

    `seed` pairs each claim with one other (with an odd number, one is dropped), the same pairs in
    all layers. The vector is the top principal component of the differences of their states
    (section 3.1 of the paper, step 3). Features are not scaled, as in the paper, so those with the
    largest spread dominate.

    The axis is found without labels. Labels then orient and scale it by a logistic regression on
    the projection, and have no other use. The paper's code pairs neighbours in its input list,
    where a claim and its opposite may be adjacent; here pairs are random, as the paper describes
    for unlabelled data.
    """

    name = "lat"
    reads: ClassVar[Reads] = "prompt"
    supervision = "sign"
    calibrated = True

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Pair the claims, and find the component of each layer."""
        rows = self.rows(x)
        n = rows.shape[1]
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        first, second = order[: n // 2].to(x.device), order[n // 2 : n // 2 * 2].to(x.device)
        axes = [top_component(layer[first].double() - layer[second].double()) for layer in rows]
        return self.set_direction(x, *orient_axes(rows, torch.stack(axes), y))


@register_probe
class LinearArtificialTomographyOnPair(LinearArtificialTomography):
    """The reading vector of the two answer tokens' concatenated states."""

    name = "lat-on-pair"
    reads = "pair"
