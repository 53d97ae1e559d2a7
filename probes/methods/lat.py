"""Linear artificial tomography: reading by PCA (Zou et al. 2023, arXiv 2310.01405)."""

from typing import ClassVar, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe
from probes.inputs import Reads
from probes.numerics.components import top_component
from probes.numerics.orientation import oriented


class ArtificialTomography(LinearProbe):
    """The reading vector: the direction along which random pairs of claims differ most.

    `seed` pairs the claims, each with one other (of an odd number one is left out), the same in
    all layers; the vector is the top principal component of the differences of their states
    (section 3.1 of the paper, step 3). Features are not scaled, as in the paper, so those with
    the largest spread decide.

    Labels orient and scale the axis that was found without them (a logistic regression on that
    one feature), nothing else. The paper's code pairs the neighbours of the list that it is
    given, where true and false twins can stand side by side; here the pairs are random, as the
    paper has them where there are no labels.
    """

    name = "lat"
    reads: ClassVar[Reads] = "prompt"
    supervision = "sign"
    calibrated = True

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Pair the claims and find the component, layer by layer."""
        rows = self.rows(x)
        n = rows.shape[1]
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        first, second = order[: n // 2].to(x.device), order[n // 2 : n // 2 * 2].to(x.device)
        axes = [top_component(layer[first].double() - layer[second].double()) for layer in rows]
        return self.set_direction(x, *oriented(rows, torch.stack(axes), y))


class ArtificialTomographyOnPair(ArtificialTomography):
    """The reading vector of the two answer tokens' states, concatenated."""

    name = "lat-on-pair"
    reads = "pair"
