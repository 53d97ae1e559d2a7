"""All that labels may do to an axis that was found without them: orient and scale it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.methods.logistic import logistic_optimum


def oriented(
    rows: Float[Tensor, "layers n k"],
    axes: Float[Tensor, "layers k"],
    y: Bool[Tensor, "n"],
) -> tuple[Float[Tensor, "layers k"], Float[Tensor, "layers"]]:
    """Weight and bias that turn the place of a state on its layer's axis into log-odds.

    They are a logistic regression (l2 = 1e-3) on that one feature.
    """
    places = [layer.double() @ axis for layer, axis in zip(rows, axes, strict=True)]
    scale, bias = logistic_optimum(torch.stack(places)[..., None], y, l2=1e-3)
    return scale * axes, bias
