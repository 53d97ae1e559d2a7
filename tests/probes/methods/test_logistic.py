import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize
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
    reference = LogisticRegression(C=1 / (2 * n * l2), solver="newton-cg", tol=1e-10, max_iter=1000)
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
    assert np.abs(standardised.T @ error / n + 2e-3 * weight).max() < 1e-8
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
    gradient = standardised.T @ error / len(y) + 2 * l2 * weight
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


def raw_optimum(x, y, l2):
    """Return the scores at the minimum of mean cross-entropy + l2 |w|^2 on the states as given.

    SciPy's Newton steps search (w s, bias at the mean), where s are the spreads of the features.
    """
    x, y = x.double().numpy(), y.numpy()
    centred, spread = x - x.mean(0), x.std(0)
    z = centred / spread

    def loss(theta):
        logits = z @ theta[:-1] + theta[-1]
        error = (expit(logits) - y) / len(y)
        value = (np.logaddexp(0, logits) - y * logits).mean()
        value += l2 * ((theta[:-1] / spread) ** 2).sum()
        slope = z.T @ error + 2 * l2 * theta[:-1] / spread**2
        return value, np.append(slope, error.sum())

    def curvature(theta):
        p = expit(z @ theta[:-1] + theta[-1])
        design = np.column_stack([z, np.ones(len(z))])
        penalty = np.append(2 * l2 / spread**2, 0)
        return (design * (p * (1 - p))[:, None]).T @ design / len(z) + np.diag(penalty)

    start = np.zeros(x.shape[1] + 1)
    found = minimize(loss, start, jac=True, hess=curvature, method="trust-exact", tol=1e-12)
    return z @ found.x[:-1] + found.x[-1]


def badly_scaled(n, d, seed=0):
    """Return features whose scales span 1e3 and whose means are 1000 times their spread."""
    x, y = noisy(n, d, seed)
    x = (x - x.mean(0)) / x.std(0) * torch.logspace(-1.5, 1.5, d)
    return x + 1000 * x.std(0), y


@pytest.mark.parametrize(("n", "d"), [(200, 8), (60, 90)])
@pytest.mark.parametrize("states", [noisy, badly_scaled])
@pytest.mark.parametrize("name", ["lr-raw", "lr"])
def test_raw_features_reach_the_optimum_of_the_published_loss(states, n, d, name):
    x, y = states(n, d)
    scores = get_probe(name, features="raw").fit(x, y).score(x)
    expected = torch.as_tensor(raw_optimum(x, y, 1e-3)).float()
    # A float32 feature is rounded to 6e-8 of its mean, thus to 6e-5 of its spread.
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)
    assert torch.corrcoef(torch.stack([scores, expected]))[0, 1] > 0.99999


def test_raw_features_reach_the_optimum_in_float32_passes(monkeypatch):
    x, y = badly_scaled(400, 50)
    exact = get_probe("lr-raw").fit(x, y).score(x)
    monkeypatch.setattr("probes.numerics.precision.FLOAT64_LIMIT", 0)
    scores = get_probe("lr-raw").fit(x, y).score(x)
    torch.testing.assert_close(scores, exact, rtol=1e-3, atol=1e-3)


def test_standardised_and_raw_agree_on_features_of_unit_spread():
    x, y = noisy(200, 8)
    x = (x - x.mean(0)) / x.std(0, correction=0)
    raw = get_probe("lr-raw").fit(x, y).score(x)
    torch.testing.assert_close(raw, get_probe("lr").fit(x, y).score(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("name", "weight_of_a"), [("lr", 1 / 2), ("lr-raw", 1 / 100)])
def test_one_feature_by_hand(name, weight_of_a):
    # False at 3 and 13, true at 13 and 23: by symmetry the logits are -a, 0, 0, a. The mean is 13
    # and the variance 50, so w is a / 10, and on the standardised feature a / sqrt 2. The loss
    # softplus(-a) / 2 + log(2) / 2 + l2 w^2 has slope 0 at a.
    x, y = torch.tensor([[3.0], [13.0], [13.0], [23.0]]), torch.tensor([False, False, True, True])
    a = brentq(lambda a: -expit(-a) / 2 + 2 * 0.01 * weight_of_a * a, 0, 1e3, xtol=1e-13)
    scores = get_probe(name, l2=0.01).fit(x, y).score(x)
    torch.testing.assert_close(scores, torch.tensor([-a, 0.0, 0.0, a]), rtol=1e-5, atol=1e-5)


def test_on_pair_may_read_raw_features():
    data = plant_truth("pair", n=60, d=6, seed=0, gap=0.5)
    flat = data.x.flatten(1)
    on_pair = get_probe("lr-on-pair", features="raw").fit(data.x, data.y).score(data.x)
    torch.testing.assert_close(on_pair, get_probe("lr-raw").fit(flat, data.y).score(flat))


def test_other_features_are_an_error():
    message = "features must be one of standardised, raw, not 'scaled'"
    for name in ("lr", "lr-raw", "lr-on-pair"):
        with pytest.raises(ValueError, match=message):
            get_probe(name, features="scaled")
