import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth

TRAIN = plant_truth("prompt", n=101, d=16, layers=(2,), seed=0)
TEST = plant_truth("prompt", n=200, d=16, layers=(2,), seed=1)


@pytest.mark.parametrize("d", [16, 80])
def test_it_is_the_component_of_the_differences_of_the_seeded_pairs(d):
    data = plant_truth("prompt", n=101, d=d, layers=(2,), seed=0)
    weight = get_probe("lat", seed=3).fit(data.x, data.y).weight.numpy()
    order = torch.randperm(101, generator=torch.Generator().manual_seed(3)).numpy()
    for layer in range(2):
        states = data.x[layer].double().numpy()
        differences = states[order[:50]] - states[order[50:100]]
        expected = PCA(1, svd_solver="full").fit(differences).components_[0]
        cosine = weight[layer] @ expected / np.linalg.norm(weight[layer])
        assert abs(cosine) == pytest.approx(1, abs=1e-9)


def test_labels_orient_the_axis():
    for y, expected in [(TRAIN.y, 1.0), (~TRAIN.y, 0.0)]:
        scores = get_probe("lat").fit(TRAIN.x, y).score(TEST.x)
        assert roc_auc_score(TEST.y, scores[0]) == pytest.approx(expected, abs=0.01)


def test_every_seed_has_its_own_pairs():
    first, second = (get_probe("lat", seed=seed).fit(TRAIN.x, TRAIN.y) for seed in (0, 1))
    assert not torch.allclose(first.weight, second.weight)


def test_a_feature_of_large_scale_dominates():
    scaled = TRAIN.x.clone()
    scaled[..., 0] *= 1000
    weight = get_probe("lat").fit(scaled, TRAIN.y).weight
    assert (weight[:, 0].abs() > 0.99 * weight.norm(dim=-1)).all()


def test_on_pair_reads_both_states():
    data = plant_truth("pair", n=60, d=6, seed=0)
    flat = data.x.flatten(1)
    expected = get_probe("lat").fit(flat, data.y).score(flat)
    torch.testing.assert_close(get_probe("lat-on-pair").fit(data.x, data.y).score(data.x), expected)
