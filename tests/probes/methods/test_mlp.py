import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from probes import get_probe
from probes.checks.planted import plant_truth
from probes.methods.mlp import early_stopping_examples

loss = nn.functional.binary_cross_entropy_with_logits


def same_sign(n, seed):
    """Return states whose label is whether the first two features have one sign."""
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))
    return x, x[:, 0] * x[:, 1] > 0


def test_it_learns_what_no_linear_probe_can():
    x, y = same_sign(1500, seed=0)
    x_test, y_test = same_sign(500, seed=1)
    assert roc_auc_score(y_test, get_probe("lr").fit(x, y).score(x_test)) < 0.6
    assert roc_auc_score(y_test, get_probe("mlp").fit(x, y).score(x_test)) > 0.95


def test_flipped_labels_negate_the_scores():
    data = plant_truth("prompt", n=90, d=8, seed=0, gap=0.5)
    scores = get_probe("mlp").fit(data.x, data.y).score(data.x)
    flipped = get_probe("mlp").fit(data.x, ~data.y).score(data.x)
    torch.testing.assert_close(flipped, -scores, rtol=1e-4, atol=1e-4)


def reference_scores(x, y, patience):
    """Return the scores of a torch.nn network, trained in one batch, and the number of epochs."""
    generator = torch.Generator().manual_seed(0)
    reserved = early_stopping_examples(y, torch.arange(len(y)), generator)
    net = nn.Sequential(nn.Linear(x.shape[1], 64), nn.GELU(), nn.Linear(64, 1)).double()
    normal = torch.randn(x.shape[1], 64, generator=generator) / x.shape[1] ** 0.5
    starts = [normal.T, 0, 0, y[~reserved].float().mean().logit()]
    for parameter, start in zip(net.parameters(), starts, strict=True):
        nn.init.zeros_(parameter).data += start
    optimiser = torch.optim.AdamW(
        [
            {"params": [net[0].weight, net[2].weight], "weight_decay": 1e-2},
            {"params": [net[0].bias, net[2].bias], "weight_decay": 0.0},
        ],
        lr=3e-3,
        eps=1e-6,
    )
    x = (x.double() - x.double().mean(0)) / x.double().std(0, correction=0)
    losses, scores, best = [], [], 0
    while len(losses) <= best + patience:
        optimiser.zero_grad()
        loss(net(x[~reserved])[:, 0], y[~reserved].double()).backward()
        optimiser.step()
        scores.append(net(x)[:, 0].detach())
        losses.append(float(loss(scores[-1][reserved], y[reserved].double())))
        best = losses.index(min(losses))
    return scores[best].float(), len(losses)


@pytest.mark.parametrize("patience", [1, 5])
def test_it_equals_the_reference(patience):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 30, generator=generator)
    y = x[:, 0] + torch.randn(100, generator=generator) > 0.5
    expected, epochs = reference_scores(x, y, patience)
    assert 5 < epochs < 100
    scores = get_probe("mlp", patience=patience).fit(x, y).score(x)
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)


def test_every_layer_stops_independently():
    learnable = plant_truth("prompt", n=150, d=60, seed=0, gap=1.0)
    x = torch.randn(150, 60, generator=torch.Generator().manual_seed(0))
    together = get_probe("mlp").fit(torch.stack([learnable.x, x]), learnable.y)
    alone = get_probe("mlp").fit(learnable.x, learnable.y).score(learnable.x)
    scores = together.score(torch.stack([learnable.x, x]))[0]
    torch.testing.assert_close(scores, alone, rtol=1e-3, atol=1e-3)


def test_chunks_of_layers_do_not_change_the_result(monkeypatch):
    data = plant_truth("prompt", n=40, d=6, layers=(5,), seed=0, gap=0.5)
    at_once = get_probe("mlp").fit(data.x, data.y).score(data.x)
    monkeypatch.setattr("probes.numerics.precision.CHUNK", 2 * 40 * 6)
    in_chunks = get_probe("mlp").fit(data.x, data.y).score(data.x)
    torch.testing.assert_close(in_chunks, at_once, rtol=1e-4, atol=1e-4)


def test_scores_are_log_odds():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3000, 3, generator=generator)
    y = torch.rand(3000, generator=generator) < (2 * x[:, 0] - 1).sigmoid()
    scores = get_probe("mlp").fit(x, y).score(x)
    assert (scores.sigmoid() - (2 * x[:, 0] - 1).sigmoid()).abs().mean() < 0.05


@pytest.mark.parametrize(
    ("true", "false", "n_reserved"), [(50, 100, (10, 20)), (1, 3, (0, 1)), (2, 2, (1, 1))]
)
def test_a_fifth_of_each_class_is_reserved(true, false, n_reserved):
    y = torch.arange(true + false) < true
    is_reserved = early_stopping_examples(y, torch.arange(len(y)), torch.Generator().manual_seed(0))
    assert (int(is_reserved[y].sum()), int(is_reserved[~y].sum())) == n_reserved


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden": 0}, "hidden must be a whole number of at least 1, not 0"),
        ({"epochs": 2.5}, r"epochs must be a whole number of at least 1, not 2\.5"),
        ({"patience": 0}, "patience must be"),
        ({"lr": 0.0}, r"lr must be a positive number, not 0\.0"),
        ({"lr": float("nan")}, "lr must be a positive number, not nan"),
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more"),
    ],
)
def test_invalid_hyperparameters_are_an_error(params, message):
    with pytest.raises(ValueError, match=message):
        get_probe("mlp", **params)


def test_a_question_is_reserved_in_all_its_templates():
    question = torch.arange(50).repeat_interleave(3)
    y = question % 2 == 0
    generator = torch.Generator().manual_seed(0)
    is_reserved = early_stopping_examples(y, question, generator).reshape(50, 3)
    assert torch.equal(is_reserved[:, 0], is_reserved[:, 1])
    assert torch.equal(is_reserved[:, 0], is_reserved[:, 2])
    assert int(is_reserved[:, 0].sum()) == 10
