"""Checks that a probe uses only its arguments: no other labels, examples, fits or random state."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import Probe
from probes.checks.fixtures import (
    N_TRAIN,
    TOLERANCE,
    are_close,
    examples_axis,
    fit_probe,
    make_test_data,
    make_train_data,
    require,
    score_data,
    select_examples,
)
from probes.checks.planted import PlantedData, plant_truth


def obeys_supervision(cls: type[Probe]) -> str | None:
    """Check, by uninformative labels, that labels do no more than `supervision` says."""
    if cls.supervision == "labels":
        return "its labels may decide"
    train, test = make_train_data(cls), make_test_data(cls)
    scores = score_data(fit_probe(cls, train), test)
    for kind, labels in _uninformative_labels(train.y):
        poisoned = score_data(fit_probe(cls, replace(train, y=labels)), test)
        if cls.supervision == "none":
            require(
                are_close(scores, poisoned),
                f'`supervision` is "none", but labels change the scores: {kind} labels were given',
            )
        else:
            correlation = float(torch.corrcoef(torch.stack([scores, poisoned]).double())[0, 1])
            require(
                abs(correlation) > 1 - TOLERANCE,
                f'`supervision` is "sign", but {kind} labels give another axis: scores correlate '
                f"{correlation:.3f}, not 1 or -1",
            )
    return None


def _uninformative_labels(y: Bool[Tensor, "n"]) -> Iterator[tuple[str, Bool[Tensor, "n"]]]:
    yield "flipped", ~y
    yield "shifted", y.roll(1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        yield "shuffled", y[torch.randperm(len(y), generator=generator)]


def reads_no_labels_at_score(cls: type[Probe]) -> None:
    """Check that scores do not depend on labels in the frame of the caller of `score`."""
    probe = fit_probe(cls, make_train_data(cls))
    test = make_test_data(cls)
    states, columns, y = test.x, test.score_columns(cls.needs), test.y
    del test  # it holds the true labels, and would be in reach at the second call too
    scores = _score_with_labels_in_reach(probe, states, columns, y, {"label": y, "truth": y})
    y = ~y
    poisoned = _score_with_labels_in_reach(probe, states, columns, y, {"label": y, "truth": y})
    require(
        torch.equal(scores, poisoned),
        "`score` reads labels: the scores follow what its caller holds; "
        "take nothing but the states and the columns that are handed in",
    )


def _score_with_labels_in_reach(
    probe: Probe,
    states: Float[Tensor, "n ..."],
    needs: Mapping[str, Tensor],
    y: Bool[Tensor, "n"],
    columns: Mapping[str, Tensor],
) -> Float[Tensor, "n"]:
    """Return the scores; `y` and `columns` are bait for a probe that inspects its caller."""
    return probe.score(states, **needs)


def scores_examples_alone(cls: type[Probe]) -> None:
    """Check that the score of an example does not depend on the others."""
    test = make_test_data(cls)
    probe = fit_probe(cls, make_train_data(cls))
    axis = examples_axis(cls, test)
    together = score_data(probe, test)
    spread = float(together.double().std())
    subsets = {"fewer": torch.tensor([7, 3, 41]), "no others": torch.tensor([5])}
    for company, indices in subsets.items():
        alone = score_data(probe, select_examples(test, indices, axis))
        _require_independence(are_close(together[indices], alone, spread), f"{company} are")
    x = test.x * 100
    x.select(axis, 0).copy_(test.x.select(axis, 0))
    _require_independence(
        are_close(together[:1], score_data(probe, replace(test, x=x))[:1], spread),
        "others 100 times as large are",
    )


def _require_independence(condition: bool, company: str) -> None:
    require(
        condition,
        "the score of an example changes with the others that are scored with it: when "
        f"{company} scored beside it; take every statistic from the fitted data",
    )


def leaves_its_input(cls: type[Probe]) -> None:
    """Check that `fit` and `score` do not modify their arguments."""
    train, test = make_train_data(cls), make_test_data(cls)
    x, y, x_test = train.x.clone(), train.y.clone(), test.x.clone()
    score_data(fit_probe(cls, train), test)
    require(torch.equal(train.x, x) and torch.equal(train.y, y), "`fit` changes its input")
    require(torch.equal(test.x, x_test), "`score` changes its input")


def forgets_earlier_fits(cls: type[Probe]) -> None:
    """Check that a fit does not depend on earlier fits of this probe or another of its class."""
    other = plant_truth(cls.reads, n=N_TRAIN, d=9, layers=(2,), seed=3)
    train, test = make_train_data(cls), make_test_data(cls)
    expected = score_data(fit_probe(cls, train), test)
    probe = fit_probe(cls, make_train_data(cls, seed=3))
    probe.fit(train.x, train.y, **train.fit_columns(cls.needs))
    _require_same_scores(expected, probe, test, "a probe that was fitted before")
    probe = fit_probe(cls, other)
    probe.fit(train.x, train.y, **train.fit_columns(cls.needs))
    _require_same_scores(expected, probe, test, "a probe that was fitted on other layers before")
    probe = fit_probe(cls, train)
    _require_same_scores(
        expected, probe, test, "a new probe, after another of its class was fitted,"
    )


def _require_same_scores(
    expected: Float[Tensor, "n"], probe: Probe, test: PlantedData, subject: str
) -> None:
    require(
        torch.equal(expected, score_data(probe, test)),
        f"{subject} scores differently from a fresh one; keep nothing between fits",
    )


def scores_alike_twice(cls: type[Probe]) -> None:
    """Check that scoring leaves no trace in the probe."""
    test = make_test_data(cls)
    probe = fit_probe(cls, make_train_data(cls))
    first = score_data(probe, test)
    score_data(probe, replace(test, x=test.x + 5))
    require(
        torch.equal(first, score_data(probe, test)),
        "the same states score differently the second time; `score` must keep and draw nothing",
    )


def same_seed_same_scores(cls: type[Probe]) -> None:
    """Check that all randomness comes from the seed, and no global generator is used or moved."""
    train, test = make_train_data(cls), make_test_data(cls)
    global_states = torch.get_rng_state(), np.random.get_state(legacy=False)
    try:
        torch.manual_seed(1)
        np.random.seed(1)
        first = score_data(fit_probe(cls, train), test)
        torch.manual_seed(2)
        np.random.seed(2)
        position = _generator_positions()
        second = score_data(fit_probe(cls, train), test)
        is_moved = position != _generator_positions()
    finally:
        torch.set_rng_state(global_states[0])
        np.random.set_state(global_states[1])
    require(not is_moved, "it draws from a global generator; make one of `self.seed`")
    require(torch.equal(first, second), "two fits with one seed score differently")


def _generator_positions() -> tuple[bytes, bytes, int]:
    """Return the state of the global generators of torch and NumPy."""
    numpy_state = np.random.get_state(legacy=False)["state"]
    torch_state = torch.get_rng_state().numpy().tobytes()
    return torch_state, numpy_state["key"].tobytes(), numpy_state["pos"]
