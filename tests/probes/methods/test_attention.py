import pytest
import torch
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth

N, T, D = 400, 6, 8


def marked_tokens(seed=0, layers=()):
    """Return states, truth and mask; one token per prompt, marked by a feature, has the truth.

    The other tokens have random values along the same direction.
    """
    generator = torch.Generator().manual_seed(seed)
    y = torch.rand(N, generator=generator) < 0.5
    x = torch.randn(*layers, N, T, D, generator=generator) * 0.3
    position = torch.randint(T - 2, (N,), generator=generator)
    value = torch.randn(N, T, generator=generator).sign()
    value[torch.arange(N), position] = y.float() * 2 - 1
    x[..., 1] += value
    x[..., torch.arange(N), position, 0] += 3
    mask = torch.ones(N, T, dtype=torch.bool)
    mask[::2, T - 2 :] = False
    return x, y, mask


def auroc(scores, y):
    return roc_auc_score(y, scores)


def test_it_attends_to_the_token_with_the_truth():
    x, y, mask = marked_tokens()
    probe = get_probe("attention").fit(x, y, mask=mask)
    x, y, mask = marked_tokens(seed=1)
    pooled = torch.where(mask[..., None], x, 0).sum(1) / mask.sum(1, keepdim=True)
    assert auroc(pooled[:, 1], y) < 0.85
    assert auroc(probe.score(x, mask=mask), y) > 0.99


def test_it_attends_to_the_last_token_if_that_has_the_truth():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N, 12, D, generator=generator)
    y = x[:, -1, 0] > 0
    probe = get_probe("attention").fit(x[: N // 2], y[: N // 2])
    mean = get_probe("lr").fit(x.mean(1)[: N // 2], y[: N // 2])
    rest = slice(N // 2, None)
    score = auroc(probe.score(x[rest]), y[rest])
    assert score > 0.95 > auroc(mean.score(x.mean(1)[rest]), y[rest]) + 0.2


def test_with_one_token_it_is_logistic_regression():
    data = plant_truth("prompt", n=200, d=6, seed=0, gap=0.5)
    scores = get_probe("attention", l2=1e-2).fit(data.x[:, None], data.y).score(data.x[:, None])
    x = data.x / data.x.square().mean(-1, keepdim=True).sqrt()
    reference = get_probe("lr", l2=5e-3).fit(x, data.y).score(x)  # its penalty is not halved
    torch.testing.assert_close(scores, reference, rtol=1e-3, atol=1e-3)


def test_the_gradient_is_zero_at_the_optimum():
    x, y, mask = marked_tokens(layers=(1,))
    probe = get_probe("attention", evaluations=3000).fit(x, y, mask=mask)
    theta = probe._theta[0].clone().requires_grad_()
    scaled = x[0].double() / x[0].double().square().mean(-1, keepdim=True).sqrt()
    states = (scaled - probe._mean[0]) / probe._scale[0]
    value, query, slope, bias = theta.split([D, D, 1, 1])
    positions = torch.stack([torch.arange(T) - (int(row.sum()) - 1) for row in mask])
    attention = (states @ query + slope * positions).masked_fill(~mask, -torch.inf)
    logits = (attention.softmax(-1) * (states @ value)).sum(-1) + bias
    torch.testing.assert_close(logits.float(), probe.score(x, mask=mask)[0], rtol=1e-4, atol=1e-4)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y.double())
    loss = loss + 1e-2 / 2 * (value.square().sum() + query.square().sum())
    loss.backward()
    assert theta.grad.abs().max() < 1e-4


@pytest.mark.parametrize("size", [1.0, 100.0, 1e4])
@pytest.mark.parametrize("features", [2, 32])
def test_a_first_token_with_huge_states_does_no_harm(size, features):
    """In pretrained transformers, the first token's states are hundreds of times as large."""
    generator = torch.Generator().manual_seed(0)
    n, t, d = 600, 10, 32
    y = torch.rand(n, generator=generator) < 0.5
    x = torch.randn(n, t, d, generator=generator)
    x[:, -1, 0] += 3 * y
    x[:, 0, :features] += size * torch.randn(features, generator=generator)
    scores = get_probe("attention").fit(x[:400], y[:400]).score(x[400:])
    assert auroc(scores, y[400:]) > 0.93


def test_masked_tokens_are_not_read():
    x, y, mask = marked_tokens()
    filled = x.masked_fill(~mask[..., None], 1e6)
    expected = get_probe("attention").fit(x, y, mask=mask).score(x, mask=mask)
    result = get_probe("attention").fit(filled, y, mask=mask).score(filled, mask=mask)
    torch.testing.assert_close(result, expected)


def test_padding_does_not_change_scores():
    x, y, mask = marked_tokens()
    probe = get_probe("attention").fit(x, y, mask=mask)
    padded = torch.cat([x, torch.zeros(N, 3, D)], dim=1)
    padded_mask = torch.cat([mask, torch.zeros(N, 3, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(probe.score(padded, mask=padded_mask), probe.score(x, mask=mask))


def test_flipped_labels_negate_the_scores():
    x, y, mask = marked_tokens()
    scores, negated = (get_probe("attention").fit(x, t, mask=mask).score(x) for t in (y, ~y))
    torch.testing.assert_close(negated, -scores, rtol=1e-3, atol=1e-3)


def test_an_invalid_mask_is_an_error():
    x, y, mask = marked_tokens()
    mask[7] = False
    with pytest.raises(ValueError, match="'mask' leaves no token of example 7"):
        get_probe("attention").fit(x, y, mask=mask)
    with pytest.raises(ValueError, match=r"'mask' has shape \(400, 5\); these states need"):
        get_probe("attention").fit(x, y, mask=torch.ones(N, T - 1, dtype=torch.bool))


@pytest.mark.parametrize(
    ("params", "message"),
    [({"l2": 0.0}, "l2 must be a positive"), ({"evaluations": 0}, "evaluations must be a whole")],
)
def test_invalid_hyperparameters_are_an_error(params, message):
    with pytest.raises(ValueError, match=message):
        get_probe("attention", **params)
