"""The top principal component."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def top_component(x: Float[Tensor, "n d"]) -> Float[Tensor, "d"]:
    """The unit vector along which the rows vary most; its sign is arbitrary.

    The zero vector where there are more features than rows and the rows are all alike.
    """
    centred = x - x.mean(0)
    n, d = x.shape
    if d <= n:
        return torch.linalg.eigh(centred.mT @ centred).eigenvectors[:, -1]
    rows = torch.linalg.eigh(centred @ centred.mT).eigenvectors[:, -1]
    return normalize(centred.mT @ rows, dim=0, eps=torch.finfo(x.dtype).tiny)
