"""The second moment of features, and ridge problems solved with it."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk, ssyrk
from torch import Tensor

Solve = Callable[[Float[Tensor, "d"]], Float[Tensor, "d"]]


class SecondMoment:
    """x'x / n of the examples x (n, d), or, with more features than examples, xx' / n.

    Only the smaller of the two is held, and only its lower triangle is filled.
    """

    def __init__(self, x: Float[Tensor, "n d"]):
        self.x = x
        self.dual = x.shape[1] > x.shape[0]
        self.matrix = gram_matrix(x.mT if self.dual else x, 1 / len(x))

    def squared_norm(self) -> Float[Tensor, ""]:
        """The sum of the squares of x'x / n."""
        lower, diagonal = self.matrix.tril(), self.matrix.diagonal()
        return 2 * lower.square().sum() - diagonal.square().sum()

    def ridge_solver(self, factor: float, ridge: float) -> Solve:
        """Return v -> (factor x'x / n + ridge I)^-1 v, by Woodbury where xx' is what is held.

        `ridge` must be above 0; the solver takes the place of the moment, which is used up.
        """
        matrix = self.matrix.mul_(factor)
        matrix.diagonal().add_(ridge)
        solved = _cholesky_solver(matrix)
        if not self.dual:
            return lambda v: solved(v.to(matrix.dtype)).to(v.dtype)
        x, n = self.x, len(self.x)

        def solve(v: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
            inner = solved(torch.mv(x, v)) * (factor / n)
            return (v - torch.mv(x.mT, inner)) / ridge

        return solve


def gram_matrix(x: Float[Tensor, "n d"], factor: float) -> Float[Tensor, "d d"]:
    """factor x'x in the precision of `x`; on a CPU by BLAS's syrk, which computes one half of it.

    Only the lower triangle is filled, which is what a Cholesky factorisation reads.
    """
    if x.device.type != "cpu":
        return x.mT @ x * factor
    syrk = ssyrk if x.dtype == torch.float32 else dsyrk
    if x.is_contiguous():
        # In the order of Fortran x is its own transpose, and an upper triangle is a lower one.
        return torch.from_numpy(syrk(factor, x.numpy().T).T)
    return torch.from_numpy(syrk(factor, x.mT.contiguous().numpy().T, trans=1).T)


def _cholesky_solver(matrix: Float[Tensor, "k k"]) -> Solve:
    """Return v -> matrix^-1 v from its lower triangle, in place of which its factors are left."""
    if matrix.device.type != "cpu":
        factors = torch.linalg.cholesky(matrix)
        return lambda v: torch.cholesky_solve(v[:, None], factors)[:, 0]
    factored = cho_factor(matrix.numpy().T, overwrite_a=True, check_finite=False)
    return lambda v: torch.from_numpy(cho_solve(factored, v.numpy(), check_finite=False))
