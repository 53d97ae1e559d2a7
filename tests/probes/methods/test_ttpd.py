import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from probes import get_probe

BASIS = torch.linalg.qr(torch.randn(20, 20, generator=torch.Generator().manual_seed(7)))[0]
TRUTH, FLIPPED, NEGATION = BASIS[:3]


def claims(seed, n=400, negated=0.5):
    """Return states, truth and polarity.

    Truth moves affirmative claims along TRUTH + FLIPPED and negated ones along TRUTH - FLIPPED.
    A negation moves a claim along NEGATION, and along TRUTH as if it were less true.
    """
    generator = torch.Generator().manual_seed(seed)
    y = torch.rand(n, generator=generator) < 0.5
    polarity = torch.rand(n, generator=generator) >= negated
    t, p = (side.float()[:, None] * 2 - 1 for side in (y, polarity))
    x = torch.randn(n, 20, generator=generator) + 5
    return x + 2 * t * TRUTH + 4 * t * p * FLIPPED + p * (3 * NEGATION + 2 * TRUTH), y, polarity


def auroc(probe, claims):
    return roc_auc_score(claims[1], probe.score(claims[0]))


def fit(claims):
    x, y, polarity = claims
    return get_probe("ttpd").fit(x, y, polarity=polarity)


def standardised_regression(x, y):
    """Return scikit-learn's weights for raw features, and scores."""
    standardised = (x - x.mean(0)) / x.std(0)
    model = LogisticRegression(C=1 / (len(y) * 1e-3), tol=1e-10, max_iter=5000)
    model.fit(standardised, y)
    return model.coef_[0] / x.std(0), model.decision_function(standardised)


@pytest.mark.parametrize("negated", [0.5, 0.2])
def test_it_equals_the_reference(negated):
    x, y, polarity = claims(0, negated=negated)
    states, t, p = x.double().numpy(), y.numpy() * 2.0 - 1, polarity.numpy() * 2.0 - 1
    design = np.stack([t, t * p], axis=1)
    t_g = np.linalg.lstsq(design, states - states.mean(0), rcond=None)[0][0]
    direction, _ = standardised_regression(states, polarity.numpy())
    plane = np.stack([states @ t_g, states @ direction], axis=1)
    _, expected = standardised_regression(plane, y.numpy())
    scores = fit((x, y, polarity)).score(x)
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-3, atol=1e-3)


def test_it_reads_affirmative_and_negated_claims():
    probe = fit(claims(0))
    for negated in (0.0, 1.0):
        assert auroc(probe, claims(1, negated=negated)) > 0.95


def test_the_difference_of_affirmative_means_fails_on_negated_claims():
    x, y, _ = claims(0, negated=0.0)
    assert auroc(get_probe("mean-diff").fit(x, y), claims(1, negated=1.0)) < 0.1


def test_the_polarity_direction_removes_the_effect_of_negation():
    x, y, _ = claims(0)
    mixed = claims(1)
    assert auroc(get_probe("mean-diff").fit(x, y), mixed) < 0.9
    assert auroc(fit(claims(0)), mixed) > 0.95


def test_with_one_polarity_it_is_the_difference_of_the_means():
    x, y, polarity = claims(0, negated=0.0)
    weight = fit((x, y, polarity)).weight
    means = get_probe("mean-diff").fit(x, y).weight
    assert torch.cosine_similarity(weight, means, dim=0) == pytest.approx(1)
    assert torch.equal(get_probe("ttpd").fit(x, y).weight, weight)


def test_which_code_is_negated_does_not_matter():
    x, y, polarity = claims(0)
    probe = get_probe("ttpd").fit(x, y, polarity=5 - 3 * polarity.long())
    torch.testing.assert_close(probe.score(x), fit((x, y, polarity)).score(x))


def test_a_third_polarity_is_refused():
    x, y, _ = claims(0)
    with pytest.raises(ValueError, match="polarity has 3 codes; give two"):
        get_probe("ttpd").fit(x, y, polarity=torch.arange(400) % 3)


def test_chunks_of_layers_do_not_change_the_result(monkeypatch):
    x, y, polarity = claims(0)
    layers = torch.stack([x, 2 * x + 1, x.flip(-1)])
    expected = fit((layers, y, polarity)).weight
    monkeypatch.setattr("probes.numerics.precision.CHUNK", 2 * x.numel())
    torch.testing.assert_close(fit((layers, y, polarity)).weight, expected)
