import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from probes import get_probe
from probes.checks.planted import plant_truth


def noisy(n, d, seed=0, shift=0.6):
    """Return correlated features of different scales, and labels of a noisy linear teacher."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator) @ torch.randn(d, d, generator=generator)
    y = x @ torch.randn(d, generator=generator) / d + torch.randn(n, generator=generator) > shift
    return x * torch.logspace(-2, 2, d) + 5, y


def within_classes(x, y):
    """Return states and their deviations from the class means, both divided by the spread."""
    x, y = x.double().numpy(), y.numpy()
    within = np.where(y[:, None], x - x[y].mean(0), x - x[~y].mean(0))
    spread = within.std(0)
    return x / spread, within / spread


@pytest.mark.parametrize(("n", "d"), [(200, 8), (40, 100)])
@pytest.mark.parametrize("shrinkage", [0.01, 0.5, "auto"])
def test_it_equals_scikit_learn_on_standardised_features(n, d, shrinkage):
    x, y = noisy(n, d)
    states, within = within_classes(x, y)
    intensity = shrinkage
    if shrinkage == "auto":
        intensity = ledoit_wolf_shrinkage(within, assume_centered=True)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=intensity).fit(
        states, y.numpy()
    )
    scores = get_probe("lda", shrinkage=shrinkage).fit(x, y).score(x)
    expected = torch.as_tensor(reference.decision_function(states)).float()
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)


def test_the_unit_of_a_feature_does_not_matter():
    x, y = noisy(40, 60)
    units = torch.logspace(-6, 6, 60)
    plain = get_probe("lda").fit(x, y).score(x)
    torch.testing.assert_close(get_probe("lda").fit(x * units, y).score(x * units), plain)


def test_copies_of_a_feature_do_not_change_the_scores_much():
    x, y = noisy(1000, 3)
    copies = torch.cat([x, x, x], dim=1)
    plain = get_probe("lda").fit(x, y).score(x)
    scores = get_probe("lda").fit(copies, y).score(copies)
    assert torch.corrcoef(torch.stack([plain, scores]))[0, 1] > 0.99


def test_rare_truths_have_low_log_odds():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 3, generator=generator)
    y = torch.rand(2000, generator=generator) < 0.1
    scores = get_probe("lda").fit(x, y).score(x)
    torch.testing.assert_close(scores.sigmoid().mean(), y.float().mean(), atol=2e-3, rtol=0)


def test_on_pair_is_the_discriminant_of_both_states():
    data = plant_truth("pair", n=60, d=6, seed=0, gap=0.5)
    flat = data.x.flatten(1)
    expected = get_probe("lda").fit(flat, data.y).score(flat)
    torch.testing.assert_close(get_probe("lda-on-pair").fit(data.x, data.y).score(data.x), expected)


@pytest.mark.parametrize("shrinkage", [0, -0.1, 1.5, float("nan"), "ridge", None])
def test_an_invalid_shrinkage_is_an_error(shrinkage):
    with pytest.raises(ValueError, match=r"shrinkage must be 'auto' or .*, not "):
        get_probe("lda", shrinkage=shrinkage)
