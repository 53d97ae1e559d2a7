import numpy as np
import pytest
import torch

from probes.numerics.components import top_component


@pytest.mark.parametrize("shape", [(50, 8), (8, 50), (20, 20)])
def test_it_is_the_first_right_singular_vector_of_the_centred_rows(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 7
    expected = np.linalg.svd((x - x.mean(0)).numpy())[2][0]
    result = top_component(x).numpy()
    np.testing.assert_allclose(result * np.sign(result @ expected), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_equal_rows_give_finite_numbers(shape):
    assert torch.isfinite(top_component(torch.ones(shape, dtype=torch.float64))).all()
