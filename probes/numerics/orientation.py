"""Orientation and scale of an axis that was found without labels."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.numerics.logistic import logistic_optimum

L2 = 5e-4
"""The penalty, L2 w^2, of the logistic regression on the standardised projection."""


def orient_axes(
    rows: Float[Tensor, "layers n k"],
    axes: Float[Tensor, "layers k"],
    y: Bool[Tensor, "n"],
) -> tuple[Float[Tensor, "layers k"], Float[Tensor, "layers"]]:
    """Return the weight and bias that turn a state's projection on its layer's axis into log-odds.

    They are those of a logistic regression on that one feature.
    """
    projections = [layer.double() @ axis for layer, axis in zip(rows, axes, strict=True)]
    factor, bias = fit_orientation(torch.stack(projections), y)
    return factor[:, None] * axes, bias


def fit_orientation(
    projections: Float[Tensor, "layers n"], y: Bool[Tensor, "n"]
) -> tuple[Float[Tensor, "layers"], Float[Tensor, "layers"]]:
    """Return the factor and bias that turn projections on each layer's axis into log-odds."""
    factor, bias = logistic_optimum(projections[..., None], y, l2=L2)
    return factor[:, 0], bias
