import pytest
import torch

from probes.numerics.scaling import feature_scale, standardise


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
def test_standardised_features_have_mean_zero_and_deviation_one(dtype):
    x = 3 + torch.randn(700, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1e-3, 1.0, 1e3, 0.0]
    )
    mean, scale = (moment[0] for moment in feature_scale(x[None]))
    result = standardise(x, mean, scale, dtype)
    assert result.dtype == dtype
    torch.testing.assert_close(result.double().mean(0), torch.zeros(4).double(), atol=1e-6, rtol=0)
    expected = torch.tensor([1.0, 1.0, 1.0, 0.0]).double()
    torch.testing.assert_close(result.double().std(0, correction=0), expected, atol=1e-6, rtol=0)
