"""Centre and scale of features."""

import torch
from jaxtyping import Float
from torch import Tensor

CONSTANT = 1e-7
"""A feature is constant if its deviation is at most this fraction of its mean: float32 rounding."""
ROWS = 256
"""Examples converted to float64 at a time; few enough to stay in the processor's cache."""


def feature_scale(
    x: Float[Tensor, "layers n d"],
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers d"]]:
    """Return the mean and the standard deviation (1/n) of every feature, in float64.

    The scale of a constant feature is infinite: its standardised value is 0, and a weight divided
    by its scale is 0.
    """
    moments = [_mean_and_deviation(layer) for layer in x]
    means, deviations = (torch.stack(part) for part in zip(*moments, strict=True))
    constant = deviations <= CONSTANT * means.abs()
    return means, deviations.masked_fill(constant, torch.inf)


def common_scale(deviation: Float[Tensor, "d"]) -> tuple[Float[Tensor, "d"], float]:
    """Return one scale for all features, the root mean square of their deviations, and that number.

    As in `feature_scale`, the scale of a constant feature, whose deviation is infinite, is
    infinite. If all are constant, the number is 1.
    """
    varies = deviation.isfinite()
    unit = float(deviation[varies].square().mean().sqrt()) if bool(varies.any()) else 1.0
    return torch.where(varies, unit, torch.inf), unit


def _mean_and_deviation(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
    """Take two passes, so that a mean far from 0 costs no accuracy."""
    mean = torch.stack([rows.double().sum(0) for rows in x.split(ROWS)]).sum(0) / len(x)
    return mean, root_mean_square(x, mean)


def root_mean_square(
    x: Float[Tensor, "n d"], centre: Float[Tensor, "d"] | float = 0.0
) -> Float[Tensor, "d"]:
    """Return the root mean square of x - centre for every feature, in float64."""
    squares = [(rows.double() - centre).square().sum(0) for rows in x.split(ROWS)]
    return (torch.stack(squares).sum(0) / len(x)).sqrt()


def standardise(
    x: Float[Tensor, "n d"],
    mean: Float[Tensor, "d"],
    scale: Float[Tensor, "d"],
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "n d"]:
    """Return (x - mean) / scale, computed in float64 and stored as `dtype`."""
    result = torch.empty(x.shape, dtype=dtype, device=x.device)
    for target, source in zip(result.split(ROWS), x.split(ROWS), strict=True):
        target.copy_((source.double() - mean) / scale)
    return result
