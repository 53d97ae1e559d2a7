import pytest
import torch

from probes.checks.planted import planted


@pytest.mark.parametrize(
    ("reads", "shape"), [("prompt", (10, 4)), ("pair", (10, 2, 4)), ("tokens", (10, 5, 4))]
)
@pytest.mark.parametrize("layers", [(), (3,)])
def test_states_have_the_shape_that_is_read(reads, shape, layers):
    data = planted(reads, n=10, d=4, layers=layers, seed=0)
    assert data.x.shape == (*layers, *shape)
    assert data.y.sum() == 5


def test_the_same_seed_gives_the_same_states():
    first, second, other = (planted("pair", n=10, d=4, seed=seed).x for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_score_is_given_no_column_of_the_fit_alone():
    data = planted("prompt", n=10, d=4, seed=0)
    assert set(data.to_score(("template", "polarity"))) == {"template"}
    assert set(data.to_fit(("template", "polarity"))) == {"template", "polarity"}
