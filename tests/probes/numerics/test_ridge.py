import pytest
import torch

from probes.numerics.ridge import SecondMoment, gram_matrix


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
def test_the_lower_triangle_of_the_gram_matrix_is_correct(dtype, shape):
    x = torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    result = gram_matrix(x, 0.5)
    torch.testing.assert_close(result.tril(), (x.mT @ x / 2).tril())
    assert result.dtype == dtype


def test_the_gram_matrix_accepts_any_memory_order():
    x = torch.randn(7, 30, generator=torch.Generator().manual_seed(0)).mT
    torch.testing.assert_close(gram_matrix(x, 1.0).tril(), (x.mT @ x).tril())


def normal(n, d):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("n", "d"), [(30, 7), (7, 30), (8, 8)])
def test_the_squared_norm_is_that_of_the_second_moment(n, d):
    x = normal(n, d)
    expected = (x.mT @ x / n).square().sum()
    torch.testing.assert_close(SecondMoment(x).squared_norm(), expected)


@pytest.mark.parametrize(("n", "d"), [(30, 7), (7, 30), (8, 8)])
@pytest.mark.parametrize(("factor", "ridge"), [(0.7, 0.2), (0.0, 1.0), (1.0, 1e-6)])
def test_a_ridge_problem_is_solved(n, d, factor, ridge):
    x, v = normal(n, d), normal(d, 1)[:, 0]
    matrix = factor * x.mT @ x / n + ridge * torch.eye(d, dtype=torch.float64)
    result = SecondMoment(x).ridge_solver(factor, ridge)(v)
    torch.testing.assert_close(result, torch.linalg.solve(matrix, v), rtol=1e-6, atol=1e-8)


def test_the_smaller_of_the_two_matrices_is_stored():
    assert SecondMoment(normal(5, 1000)).matrix.shape == (5, 5)
