"""The speed benchmarks compare fits that reach the same loss; no test depends on a time."""

import pytest
import torch

from benchmarks.speed import fits, measure
from benchmarks.speed.__main__ import table_row
from benchmarks.speed.states import planted_states
from probes import get_probe


@pytest.fixture(scope="module")
def states():
    return planted_states(layers=4, n=600, d=64, pair_layers=(2, 4))


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch):
    monkeypatch.setattr(measure, "_fastest", lambda work, repeats=7: 1.0)


def test_the_teacher_is_about_as_good_as_it_says(states):
    assert states.auroc == pytest.approx(0.9, abs=0.02)
    assert 0.3 < states.labels.float().mean() < 0.7
    assert states.prompt.shape == (4, 600, 64)
    assert states.pair.shape == (2, 600, 2, 64)


def test_logistic_fits_end_at_one_loss(states):
    for comparison in fits.logistic(states.prompt, states.labels):
        ours, theirs = comparison.losses
        assert ours <= theirs * (1 + 1e-9)
        assert theirs <= ours * (1 + 2 * fits.CLOSE)


def test_a_baseline_without_a_sufficient_tolerance_is_an_error(states):
    x, y = states.prompt[0], states.labels
    with pytest.raises(ValueError, match="none of the tolerances"):
        fits.loosest_tolerance(fits.by_sklearn, x, y, 0.0, fits.SKLEARN_TOLERANCES)


@pytest.mark.parametrize(
    ("name", "params", "shrinkage"),
    [("lda", {"shrinkage": 0.01}, 0.01), ("mean-diff", {"whiten": True}, 1e-3)],
)
def test_numpy_finds_the_same_direction(states, name, params, shrinkage):
    probe = get_probe(name, **params).fit(states.prompt, states.labels)
    theirs = fits.by_numpy(states.prompt[1].numpy(), states.labels.numpy(), shrinkage)
    torch.testing.assert_close(probe.weight[1], torch.from_numpy(theirs), rtol=1e-6, atol=1e-9)


def test_the_search_of_ccs_ends_no_higher(states):
    (comparison,) = fits.contrast_consistent(states)
    ours, theirs = comparison.losses
    assert ours <= theirs * (1 + 1e-3)
    assert all(table_row(comparison))
