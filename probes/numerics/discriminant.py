"""Fisher's linear discriminant with a shrunk covariance."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.numerics.ridge import SecondMoment
from probes.numerics.scaling import CONSTANT, root_mean_square

MIN_SHRINKAGE = 1e-6
"""The least shrinkage; it keeps the covariance invertible where features are copies."""


def discriminant(
    states: Float[Tensor, "n d"], y: Bool[Tensor, "n"], shrinkage: float | Literal["auto"]
) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
    """Return C^-1 (m_true - m_false), and the midpoint of the class means, in float64.

    m are the class means and C = (1 - shrinkage) S + shrinkage diag(S), where S is the pooled
    within-class covariance (1/n). "auto" is the shrinkage of `ledoit_wolf`. A feature that is
    constant within the classes has weight 0.
    """
    membership = torch.stack([~y, y], dim=1).double()
    within = states.to(torch.float64, copy=True)
    means = (membership.mT @ within) / membership.sum(0)[:, None]
    within.addmm_(membership, means, alpha=-1)
    deviation = root_mean_square(within)
    constant = deviation <= CONSTANT * means.abs().amax(0)
    scale = deviation.masked_fill(constant, torch.inf)
    within /= scale
    moment = SecondMoment(within)
    intensity = ledoit_wolf(moment) if shrinkage == "auto" else shrinkage
    difference = (means[1] - means[0]) / scale
    weight = moment.ridge_solver(1 - intensity, intensity)(difference) / scale
    return weight, means.mean(0)


def ledoit_wolf(moment: SecondMoment) -> float:
    """Return the optimal shrinkage of a covariance towards the identity, at least the minimum.

    It is the expected squared error of the covariance over its squared distance from the identity
    (Ledoit and Wolf 2004, J. Multivariate Analysis 88, section 3.3).
    """
    norms = moment.x.square().sum(-1)
    squared_norm = moment.squared_norm()
    error = (norms.square().mean() - squared_norm) / len(norms)
    distance = squared_norm - norms.mean()
    return float((error / distance.clamp(min=1e-300)).clamp(MIN_SHRINKAGE, 1))
