"""The centre, scale and second moments of features, from the fitted data."""

import torch
from jaxtyping import Float
from scipy.linalg.blas import dsyrk, ssyrk
from torch import Tensor


def feature_scale(
    x: Float[Tensor, "layers n d"],
) -> tuple[Float[Tensor, "layers d"], Float[Tensor, "layers d"]]:
    """Mean and standard deviation (1/n) of every feature, in float64, one layer at a time.

    The scale of a feature that varies by no more than float32 rounding is infinite:
    standardised it is 0, and a weight divided by its scale is 0.
    """
    means, scales = [], []
    for layer in x:
        states = layer.double()
        mean = states.mean(0)
        deviation = (states - mean).square().mean(0).sqrt()
        constant = deviation <= 1e-7 * mean.abs()
        means.append(mean)
        scales.append(deviation.masked_fill(constant, torch.inf))
    return torch.stack(means), torch.stack(scales)


def gram_matrix(x: Float[Tensor, "n d"], factor: float) -> Float[Tensor, "d d"]:
    """factor x'x in the precision of `x`; on a CPU by BLAS's syrk, which computes one half of it.

    Only the lower triangle is filled, which is what a Cholesky factorisation reads.
    """
    if x.device.type != "cpu":
        return x.mT @ x * factor
    syrk = ssyrk if x.dtype == torch.float32 else dsyrk
    # In the order of Fortran x is its own transpose, and an upper triangle is a lower one.
    return torch.from_numpy(syrk(factor, x.contiguous().numpy().T).T)
