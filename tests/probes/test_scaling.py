import pytest
import torch

from probes.scaling import feature_scale, gram_matrix


def test_mean_and_deviation_are_those_of_every_layer():
    x = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0))
    mean, scale = feature_scale(x)
    torch.testing.assert_close(mean, x.double().mean(1))
    torch.testing.assert_close(scale, x.double().std(1, correction=0))


def test_a_constant_feature_standardises_to_zero():
    x = torch.full((1, 50, 2), 1e3)
    x[..., 1] += torch.arange(50) * torch.finfo(torch.float32).eps
    mean, scale = feature_scale(x)
    assert torch.isinf(scale).all()
    assert ((x.double() - mean) / scale == 0).all()


def test_scale_follows_the_features():
    x = torch.randn(1, 50, 2, generator=torch.Generator().manual_seed(0))
    for factor in (1e-20, 1e20):
        torch.testing.assert_close(feature_scale(x * factor)[1], feature_scale(x)[1] * factor)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
def test_the_gram_matrix_is_right_in_its_lower_triangle(dtype, shape):
    x = torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    found = gram_matrix(x, 0.5)
    torch.testing.assert_close(found.tril(), (x.mT @ x / 2).tril())
    assert found.dtype == dtype


def test_the_gram_matrix_takes_states_in_any_order_of_memory():
    x = torch.randn(7, 30, generator=torch.Generator().manual_seed(0)).mT
    torch.testing.assert_close(gram_matrix(x, 1.0).tril(), (x.mT @ x).tril())
