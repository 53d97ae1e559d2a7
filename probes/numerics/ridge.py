"""The second moment of features, and ridge problems solved with it."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk, ssyrk
from torch import Tensor

Solve = Callable[[Float[Tensor, "d"]], Float[Tensor, "d"]]


class SecondMoment:
    """x'x / n of the examples x (n, d), or xx' / n if there are more features than examples.

    Only the smaller matrix is stored, and only its lower triangle is filled.
    """

    def __init__(self, x: Float[Tensor, "n d"]):
        self.x = x
        self.dual = x.shape[1] > x.shape[0]
        self.matrix = gram_matrix(x.mT if self.dual else x, 1 / len(x))

    def squared_norm(self) -> Float[Tensor, ""]:
        """Return the squared Frobenius norm of x'x / n."""
        lower, diagonal = self.matrix.tril(), self.matrix.diagonal()
        return 2 * lower.square().sum() - diagonal.square().sum()

    def ridge_solver(self, factor: float, ridge: float) -> Solve:
        """Return v -> (factor x'x / n + ridge I)^-1 v, by Woodbury's identity if xx' is stored.

        `ridge` must be positive. The solver overwrites the matrix, so the moment cannot be used
        afterwards.
        """
        matrix = self.matrix.mul_(factor)
        matrix.diagonal().add_(ridge)
        solve_matrix = _cholesky_solver(matrix)
        if not self.dual:
            return lambda v: solve_matrix(v.to(matrix.dtype)).to(v.dtype)
        x, n = self.x, len(self.x)

        def solve(v: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
            inner = solve_matrix(torch.mv(x, v)) * (factor / n)
            return (v - torch.mv(x.mT, inner)) / ridge

        return solve


def gram_matrix(x: Float[Tensor, "n d"], factor: float) -> Float[Tensor, "d d"]:
    """Return the lower triangle of factor x'x in the precision of `x`.

    A Cholesky factorisation reads nothing else. On a CPU, BLAS's syrk computes only that half.
    """
    if x.device.type != "cpu":
        return x.mT @ x * factor
    syrk = ssyrk if x.dtype == torch.float32 else dsyrk
    if x.is_contiguous():
        # In Fortran order x is its own transpose, and an upper triangle is a lower one.
        return torch.from_numpy(syrk(factor, x.numpy().T).T)
    return torch.from_numpy(syrk(factor, x.mT.contiguous().numpy().T, trans=1).T)


def _cholesky_solver(matrix: Float[Tensor, "k k"]) -> Solve:
    """Return v -> matrix^-1 v, from the lower triangle, which is overwritten by the factors."""
    if matrix.device.type != "cpu":
        factors = torch.linalg.cholesky(matrix)
        return lambda v: torch.cholesky_solve(v[:, None], factors)[:, 0]
    cholesky = cho_factor(matrix.numpy().T, overwrite_a=True, check_finite=False)
    return lambda v: torch.from_numpy(cho_solve(cholesky, v.numpy(), check_finite=False))
