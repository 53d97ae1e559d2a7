import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from probes import check_probe, get_probe

X = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 4.0], [5.0, 8.0]])
Y = torch.tensor([False, False, True, True])


def test_weight_bias_and_scores_of_four_examples():
    probe = get_probe("mean-diff").fit(X, Y)
    assert probe.weight.tolist() == [4.0, 6.0]  # (5, 6) - (1, 0)
    assert probe.bias.item() == -30.0  # -(4, 6) . (3, 3)
    assert probe.score(X).tolist() == [-30.0, -22.0, 14.0, 38.0]


def test_the_midpoint_of_the_means_scores_zero():
    assert get_probe("mean-diff").fit(X, Y).score(torch.tensor([[3.0, 3.0]])).item() == 0


def test_on_pair_has_a_direction_for_each_answer():
    pairs = torch.stack([X, -2 * X], dim=1)
    probe = get_probe("mean-diff-on-pair").fit(pairs, Y)
    assert probe.weight.tolist() == [[4.0, 6.0], [-8.0, -12.0]]
    assert probe.score(pairs).tolist() == [5 * score for score in (-30.0, -22.0, 14.0, 38.0)]


@pytest.mark.parametrize(("n", "d"), [(200, 12), (40, 100)])
def test_whitening_is_the_difference_times_the_inverse_covariance(n, d):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, d, generator=generator) @ torch.randn(d, d, generator=generator) + 3
    y = torch.arange(n) % 3 == 0
    states, true = x.double().numpy(), y.numpy()
    means = states[~true].mean(0), states[true].mean(0)
    covariance = np.cov(np.where(true[:, None], states - means[1], states - means[0]).T, ddof=0)
    covariance = 0.999 * covariance + 0.001 * np.diag(np.diag(covariance))
    theta = np.linalg.solve(covariance, means[1] - means[0])
    probe = get_probe("mean-diff", whiten=True).fit(x, y)
    np.testing.assert_allclose(probe.weight.numpy(), theta, rtol=1e-6, atol=1e-9)
    assert probe.bias.item() == pytest.approx(-theta @ (means[0] + means[1]) / 2)


def test_whitening_is_robust_to_a_feature_of_large_scale():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 5, generator=generator)
    y = torch.arange(400) % 2 == 0
    x[:, 0] += y.float() * 3
    x[:, 1] *= 100
    plain, with_whitening = (
        get_probe("mean-diff", whiten=w).fit(x, y).score(x) for w in (False, True)
    )
    assert roc_auc_score(y, plain) < 0.8
    assert roc_auc_score(y, with_whitening) > 0.95


def test_whitening_passes_the_checks():
    class Whitened(type(get_probe("mean-diff"))):
        """Mean difference whose default is to whiten."""

        name = "whitened"

        def __init__(self, *, seed=0, whiten=True):
            super().__init__(seed=seed, whiten=whiten)

    check_probe(Whitened)


def test_an_invalid_whiten_is_an_error():
    with pytest.raises(ValueError, match="whiten must be True or False, not 'no'"):
        get_probe("mean-diff", whiten="no")
