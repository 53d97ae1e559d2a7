import torch
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth

DATA = plant_truth("prompt", n=100, d=8, layers=(2,), seed=0)


def direction(seed):
    return get_probe("random", seed=seed).fit(DATA.x, DATA.y).weight


def test_the_direction_is_a_unit_vector_shared_by_the_layers():
    weight = direction(0)
    torch.testing.assert_close(weight.norm(dim=-1), torch.ones(2, dtype=torch.float64))
    assert torch.equal(weight[0], weight[1])


def test_every_seed_has_its_own_direction():
    assert not torch.allclose(direction(0), direction(1))


def test_one_class_is_enough():
    get_probe("random").fit(DATA.x, torch.ones(100, dtype=torch.bool))


def test_labels_do_not_orient_the_direction():
    probes = [get_probe("random", seed=seed).fit(DATA.x, DATA.y) for seed in range(40)]
    aurocs = [roc_auc_score(DATA.y, probe.score(DATA.x)[0]) for probe in probes]
    assert 0.25 < sum(auroc > 0.5 for auroc in aurocs) / 40 < 0.75
