"""Fisher's linear discriminant (Fisher 1936; as `lda` in arXiv 2312.01037), with shrinkage."""

import math
from typing import ClassVar, Literal, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe
from probes.inputs import Reads
from probes.numerics.ridge import SecondMoment
from probes.numerics.scaling import CONSTANT, root_mean_square

LEAST_INTENSITY = 1e-6
"""The least shrinkage, so that features that are copies of each other can be solved."""


class FisherDiscriminant(LinearProbe):
    """The log-odds of two Gaussian classes that share one covariance.

    Labels are all it learns from. With S the pooled within-class covariance (1/n) and m the
    class means, `weight` is C^-1 (m_true - m_false), where C = (1 - shrinkage) S + shrinkage
    diag(S): shrinkage on standardised features, so that the unit of a feature does not matter.
    "auto" takes the intensity of Ledoit and Wolf (2004, J. Multivariate Analysis 88, section
    3.3) for those features, layer by layer; any intensity above 0 lets there be more features
    than examples. `bias` holds the log-odds of the classes' sizes, as the Gaussian model says.

    arXiv 2312.01037's code inverts S by a pseudo-inverse and leaves the bias out; its paper
    gives no regularisation. A feature that does not vary within the classes has weight 0.
    """

    name = "lda"
    reads: ClassVar[Reads] = "prompt"
    supervision = "labels"
    calibrated = True

    def __init__(self, *, seed: int = 0, shrinkage: float | Literal["auto"] = "auto") -> None:
        fits = shrinkage == "auto" or (
            isinstance(shrinkage, int | float) and LEAST_INTENSITY <= shrinkage <= 1
        )
        if not fits:
            raise ValueError(
                f"shrinkage must be 'auto' or a number from {LEAST_INTENSITY:g} to 1, "
                f"not {shrinkage!r}"
            )
        super().__init__(seed=seed, shrinkage=shrinkage)
        self.shrinkage = shrinkage

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Solve one layer after the other: one covariance is held at a time."""
        log_prior = math.log(float(y.sum()) / float((~y).sum()))
        weights, biases = [], []
        for layer in self.rows(x):
            weight, middle = discriminant(layer, y, self.shrinkage)
            weights.append(weight)
            biases.append(log_prior - weight @ middle)
        return self.set_direction(x, torch.stack(weights), torch.stack(biases))


class FisherDiscriminantOnPair(FisherDiscriminant):
    """Fisher's discriminant on the two answer tokens' states, concatenated."""

    name = "lda-on-pair"
    reads = "pair"


def discriminant(
    states: Float[Tensor, "n d"], y: Bool[Tensor, "n"], shrinkage: float | Literal["auto"]
) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
    """C^-1 (m_true - m_false), and the midpoint of the means, in float64.

    C is the within-class covariance, shrunk as `FisherDiscriminant` says.
    """
    of_class = torch.stack([~y, y], dim=1).double()
    within = states.to(torch.float64, copy=True)
    means = (of_class.mT @ within) / of_class.sum(0)[:, None]
    within.addmm_(of_class, means, alpha=-1)
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
    """The intensity of shrinkage of a covariance towards the identity, at least the least.

    The expected squared error of the covariance, over its squared distance from the identity.
    """
    norms = moment.x.square().sum(-1)
    squared = moment.squared_norm()
    error = (norms.square().mean() - squared) / len(norms)
    distance = squared - norms.mean()
    return float((error / distance.clamp(min=1e-300)).clamp(LEAST_INTENSITY, 1))
