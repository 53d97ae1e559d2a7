import torch

from probes import get_probe

X = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 4.0], [5.0, 8.0]])
Y = torch.tensor([False, False, True, True])


def test_by_hand():
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
