"""Planted data: shapes, seeds and columns."""

import pytest
import torch

from probes.checks.planted import plant_truth


@pytest.mark.parametrize(
    ("reads", "shape"), [("prompt", (10, 4)), ("pair", (10, 2, 4)), ("tokens", (10, 5, 4))]
)
@pytest.mark.parametrize("layers", [(), (3,)])
def test_states_have_the_shape_that_the_probe_reads(reads, shape, layers):
    data = plant_truth(reads, n=10, d=4, layers=layers, seed=0)
    assert data.x.shape == (*layers, *shape)
    assert data.y.sum() == 5


def test_the_same_seed_gives_the_same_states():
    first, second, other = (plant_truth("pair", n=10, d=4, seed=seed).x for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_score_does_not_receive_columns_of_the_fit():
    data = plant_truth("prompt", n=10, d=4, seed=0)
    assert set(data.score_columns(("template", "polarity"))) == {"template"}
    assert set(data.fit_columns(("template", "polarity"))) == {"template", "polarity"}
