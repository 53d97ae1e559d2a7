"""Principal components."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def top_component(x: Float[Tensor, "n d"]) -> Float[Tensor, "d"]:
    """Return the first principal component of the rows: a unit vector of arbitrary sign.

    It is the zero vector if there are more features than rows and all rows are equal.
    """
    centred = x - x.mean(0)
    n, d = x.shape
    if d <= n:
        return torch.linalg.eigh(centred.mT @ centred).eigenvectors[:, -1]
    row_weights = torch.linalg.eigh(centred @ centred.mT).eigenvectors[:, -1]
    return normalize(centred.mT @ row_weights, dim=0, eps=torch.finfo(x.dtype).tiny)
