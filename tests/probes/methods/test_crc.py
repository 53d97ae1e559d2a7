import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth

TRAIN = plant_truth("pair", n=150, d=16, seed=0, gap=1.5)
TEST = plant_truth("pair", n=200, d=16, seed=1, gap=1.5)


def reference_leace(x, z):
    """Return the projection of arXiv 2306.03819 (theorem 3.1), covariance as in arXiv 1308.2608."""
    n, d = x.shape
    covariance = np.cov(x.T, ddof=0)
    trace = np.trace(covariance)
    shrink = (trace**2 / n) / ((covariance**2).sum() - trace**2 / d)
    covariance = (1 - shrink) * covariance + shrink * trace / d * np.eye(d)
    values, vectors = np.linalg.eigh(covariance)
    whiten = vectors / np.sqrt(values) @ vectors.T
    cross = (x - x.mean(0)).T @ (z - z.mean(0)) / (n - 1)
    u, s, _ = np.linalg.svd(whiten @ cross, full_matrices=False)
    u = u[:, s > 0.01]
    return np.eye(d) - np.linalg.inv(whiten) @ u @ u.T @ whiten


def reference_crc(pairs, y, template, norm):
    """Return the log-odds of the pairs of the fit."""
    states = pairs.reshape(-1, pairs.shape[-1])
    if norm == "leace":
        template = np.zeros_like(template)
    group = np.stack([2 * template, 2 * template + 1], axis=-1).ravel()
    z = np.eye(group.max() + 1)[group]
    means = z.T @ states / z.sum(0)[:, None]
    scaled = states / (states - means[group]).std(0) if norm == "leace-template" else states
    erased = (scaled @ reference_leace(scaled, z).T).reshape(pairs.shape)
    differences = erased[:, 1] - erased[:, 0]
    component = np.linalg.svd(differences - differences.mean(0))[2][0]
    projection = differences @ component
    projection = ((projection - projection.mean()) / projection.std())[:, None]
    regression = LogisticRegression(C=1 / (len(y) * 1e-3), tol=1e-10).fit(projection, y)
    return regression.decision_function(projection)


@pytest.mark.parametrize("norm", ["leace", "leace-template-raw", "leace-template"])
@pytest.mark.parametrize("templates", [1, 3])
def test_it_equals_the_reference(templates, norm):
    template = TRAIN.columns["template"] % templates
    offsets = 3 * torch.randn(3, 2, 16, generator=torch.Generator().manual_seed(5))
    x = (TRAIN.x + offsets[template]) * torch.logspace(-1, 1, 16)
    scores = get_probe("crc", norm=norm).fit(x, TRAIN.y, template=template).score(x)
    expected = reference_crc(x.double().numpy(), TRAIN.y.numpy(), template.numpy(), norm)
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-3, atol=1e-3)


def test_four_pairs_by_hand():
    # True minus false states differ in the first feature by 2 or -2 and in the second by 1 or -1.
    # Both answers have mean 0, so there is nothing to erase, and the component is the first axis.
    half = torch.tensor([[1.0, 0.5], [1.0, -0.5], [-1.0, 0.5], [-1.0, -0.5]])
    assert direction_of(half, half[:, 0] > 0) == pytest.approx([1, 0])
    # If the second differs by 3 or -3, it is the second. Scaling would leave no larger one.
    wide = half * torch.tensor([1.0, 3.0])
    assert direction_of(wide, wide[:, 1] > 0) == pytest.approx([0, 1])
    # If the answers also differ in the second by 9, it is erased, and the first is left.
    assert direction_of(wide, wide[:, 0] > 0, answer=9.0) == pytest.approx([1, 0])


def direction_of(half, y, answer=0.0):
    """Return the unit direction for the pairs -half, half, with `answer` added to the true one."""
    x = torch.stack([-half, half], dim=1)
    x[:, 1, 1] += answer
    weight = get_probe("crc").fit(x, y).weight[1]
    return (weight / weight.norm()).tolist()


def test_another_norm_is_an_error():
    names = "leace, leace-template-raw, leace-template"
    with pytest.raises(ValueError, match=f"norm must be one of {names}, not 'burns'"):
        get_probe("crc", norm="burns")


def test_labels_orient_the_axis():
    for y, expected in [(TRAIN.y, 1.0), (~TRAIN.y, 0.0)]:
        scores = get_probe("crc").fit(TRAIN.x, y).score(TEST.x)
        assert roc_auc_score(TEST.y, scores) == pytest.approx(expected, abs=0.05)


def test_the_component_shared_by_both_answers_does_not_affect_the_score():
    probe = get_probe("crc").fit(TRAIN.x, TRAIN.y)
    assert torch.equal(probe.weight[0], -probe.weight[1])


def test_a_template_outside_the_fit_is_scored_by_the_same_map():
    probe = get_probe("crc").fit(TRAIN.x, TRAIN.y, template=TRAIN.columns["template"])
    other = torch.full((200,), 99)
    assert torch.equal(probe.score(TEST.x, template=other), probe.score(TEST.x))
