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
    scale, bias = orientation(torch.stack(places), y)
    return scale[:, None] * axes, bias


def orientation(
    places: Float[Tensor, "layers n"], y: Bool[Tensor, "n"]
) -> tuple[Float[Tensor, "layers"], Float[Tensor, "layers"]]:
    """Factor and bias that turn places on each layer's axis into log-odds."""
    scale, bias = logistic_optimum(places[..., None], y, l2=1e-3)
    return scale[:, 0], bias
