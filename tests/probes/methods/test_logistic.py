import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from probes import get_probe
from probes.checks.planted import plant_truth


def noisy(n, d, seed=0, shift=0.0):
    """Return correlated features of different scales, and labels of a noisy linear teacher."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator) @ torch.randn(d, d, generator=generator)
    logits = x @ torch.randn(d, generator=generator) / d
    y = logits + torch.randn(n, generator=generator) > shift
    return x * torch.logspace(-2, 2, d) + 5, y


@pytest.mark.parametrize(("n", "d"), [(200, 8), (60, 60), (40, 100)])
@pytest.mark.parametrize("l2", [1e-3, 0.3])
def test_it_equals_scikit_learn(n, d, l2):
    x, y = noisy(n, d, shift=0.5)
    scores = get_probe("lr", l2=l2).fit(x, y).score(x)
    standardised = ((x - x.mean(0)) / x.std(0, correction=0)).double().numpy()
    reference = LogisticRegression(C=1 / (n * l2), solver="newton-cg", tol=1e-10, max_iter=1000)
    reference.fit(standardised, y.numpy())
    expected = torch.as_tensor(reference.decision_function(standardised)).float()
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n", "d"), [(100, 10), (30, 80)])
def test_the_gradient_of_the_penalised_loss_is_zero(n, d):
    x, y = noisy(n, d)
    probe = get_probe("lr").fit(x, y)
    mean, scale = x.double().mean(0), x.double().std(0, correction=0)
    standardised = ((x.double() - mean) / scale).numpy()
    weight = (probe.weight * scale).numpy()
    bias = float(probe.bias + probe.weight @ mean)
    error = expit(standardised @ weight + bias) - y.numpy()
    assert np.abs(standardised.T @ error / n + 1e-3 * weight).max() < 1e-8
    assert abs(error.mean()) < 1e-8


@pytest.mark.parametrize(("n", "d"), [(400, 50), (40, 100)])
def test_float32_passes_reach_the_optimum_of_float64_passes(n, d, monkeypatch):
    x, y = noisy(n, d)
    exact = get_probe("lr").fit(x, y).score(x)
    monkeypatch.setattr("probes.numerics.precision.FLOAT64_LIMIT", 0)
    torch.testing.assert_close(get_probe("lr").fit(x, y).score(x), exact, rtol=3e-4, atol=1e-4)


def test_separable_classes_converge():
    data = plant_truth("prompt", n=100, d=20, seed=0, gap=50.0)
    scores = get_probe("lr", l2=1e-6).fit(data.x, data.y).score(data.x)
    assert torch.equal(scores > 0, data.y)


def test_the_unit_of_a_feature_does_not_matter():
    x, y = noisy(100, 6)
    units = torch.tensor([1e-8, 1e8, 1e-3, 1.0, 1e3, 7.0])
    plain = get_probe("lr").fit(x, y).score(x)
    scaled = get_probe("lr").fit(x * units, y).score(x * units)
    torch.testing.assert_close(scaled, plain, rtol=1e-3, atol=1e-3)


def test_rare_truths_have_low_log_odds():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 3, generator=generator)
    y = torch.rand(1000, generator=generator) < 0.1
    scores = get_probe("lr").fit(x, y).score(x)
    torch.testing.assert_close(scores.sigmoid().mean(), y.float().mean(), atol=1e-4, rtol=0)


def test_on_pair_is_logistic_regression_on_both_states():
    data = plant_truth("pair", n=60, d=6, seed=0, gap=0.5)
    on_pair = get_probe("lr-on-pair").fit(data.x, data.y).score(data.x)
    flat = data.x.flatten(1)
    torch.testing.assert_close(on_pair, get_probe("lr").fit(flat, data.y).score(flat))


@pytest.mark.parametrize("l2", [0.0, -1.0, float("nan")])
def test_a_penalty_must_be_positive(l2):
    with pytest.raises(ValueError, match="l2 must be a positive number"):
        get_probe("lr", l2=l2)


@pytest.mark.parametrize("l2", [1e-3, 1e-7])
def test_a_penalty_below_the_rounding_of_float32_counts(l2):
    x, y = noisy(300, 200, seed=1)
    probe = get_probe("lr", l2=l2).fit(x, y)
    mean, scale = x.double().mean(0), x.double().std(0, correction=0)
    standardised = ((x.double() - mean) / scale).numpy()
    weight = (probe.weight * scale).numpy()
    error = expit(standardised @ weight + float(probe.bias + probe.weight @ mean)) - y.numpy()
    gradient = standardised.T @ error / len(y) + l2 * weight
    assert np.abs(gradient).max() < 1e-6


@pytest.mark.parametrize(("n", "d"), [(40, 200), (200, 40)])
def test_a_penalty_below_the_rounding_of_float64_still_ends_at_an_optimum(n, d):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(n, d, generator=generator)
    y = torch.rand(n, generator=generator) < 0.5
    probe = get_probe("lr", l2=1e-16).fit(torch.cat([x, x], dim=1), y)
    error = expit(probe.score(torch.cat([x, x], dim=1)).double().numpy()) - y.numpy()
    mean, scale = x.double().mean(0), x.double().std(0, correction=0)
    assert np.abs(((x.double() - mean) / scale).numpy().T @ error / n).max() < 1e-4
