"""Whether a probe uses nothing but what it is given: no labels, batches or fits besides."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import Probe
from probes.checks.planted import Planted, planted
from probes.checks.trial import (
    N_TRAIN,
    TOLERANCE,
    alike,
    examples_axis,
    fitted,
    part,
    require,
    scores_of,
    seen,
    unseen,
)


def obeys_supervision(cls: type[Probe]) -> str | None:
    """Labels do no more than `supervision` says: others are given, which tell nothing."""
    if cls.supervision == "labels":
        return "its labels may decide"
    train, test = seen(cls), unseen(cls)
    honest = scores_of(fitted(cls, train), test)
    for what, labels in _poisons(train.y):
        poisoned = scores_of(fitted(cls, replace(train, y=labels)), test)
        if cls.supervision == "none":
            require(
                alike(honest, poisoned),
                f'`supervision` is "none", but labels change the scores: {what} labels were given',
            )
        else:
            correlation = float(torch.corrcoef(torch.stack([honest, poisoned]).double())[0, 1])
            require(
                abs(correlation) > 1 - TOLERANCE,
                f'`supervision` is "sign", but {what} labels give another axis: scores correlate '
                f"{correlation:.3f}, not 1 or -1",
            )
    return None


def _poisons(y: Bool[Tensor, "n"]) -> Iterator[tuple[str, Bool[Tensor, "n"]]]:
    yield "flipped", ~y
    yield "shifted", y.roll(1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        yield "shuffled", y[torch.randperm(len(y), generator=generator)]


def reads_no_labels_at_score(cls: type[Probe]) -> None:
    """The same states score the same, whatever labels a caller of `score` holds."""
    probe = fitted(cls, seen(cls))
    test = unseen(cls)
    states, given, y = test.x, test.to_score(cls.needs), test.y
    del test  # the second time no true label is left in reach
    honest = _score_in_reach_of(probe, states, given, y, {"label": y, "truth": y})
    y = ~y
    poisoned = _score_in_reach_of(probe, states, given, y, {"label": y, "truth": y})
    require(
        torch.equal(honest, poisoned),
        "`score` reads labels: the scores follow what its caller holds; "
        "take nothing but the states and the columns that are handed in",
    )


def _score_in_reach_of(
    probe: Probe,
    states: Float[Tensor, "n ..."],
    given: Mapping[str, Tensor],
    y: Bool[Tensor, "n"],
    columns: Mapping[str, Tensor],
) -> Float[Tensor, "n"]:
    """The scores, with labels in the frame of the caller for whoever looks there."""
    return probe.score(states, **given)


def scores_examples_alone(cls: type[Probe]) -> None:
    """The score of an example depends on no other."""
    test = unseen(cls)
    probe = fitted(cls, seen(cls))
    axis = examples_axis(cls, test)
    together = scores_of(probe, test)
    spread = float(together.double().std())
    among = {"fewer": torch.tensor([7, 3, 41]), "no others": torch.tensor([5])}
    for what, some in among.items():
        apart = scores_of(probe, part(test, some, axis))
        _require_alone(alike(together[some], apart, spread), f"{what} are")
    loud = test.x * 100
    loud.select(axis, 0).copy_(test.x.select(axis, 0))
    _require_alone(
        alike(together[:1], scores_of(probe, replace(test, x=loud))[:1], spread),
        "others 100 times as large are",
    )


def _require_alone(holds: bool, what: str) -> None:
    require(
        holds,
        "the score of an example changes with the others that are scored with it: when "
        f"{what} scored beside it; take every statistic from the fitted data",
    )


def leaves_its_input(cls: type[Probe]) -> None:
    """`fit` and `score` do not write into what they are given."""
    train, test = seen(cls), unseen(cls)
    x, y, x_test = train.x.clone(), train.y.clone(), test.x.clone()
    scores_of(fitted(cls, train), test)
    require(torch.equal(train.x, x) and torch.equal(train.y, y), "`fit` changes its input")
    require(torch.equal(test.x, x_test), "`score` changes its input")


def forgets_earlier_fits(cls: type[Probe]) -> None:
    """A fit is that of a fresh probe, whatever this one or another was fitted on before."""
    other = planted(cls.reads, n=N_TRAIN, d=9, layers=(2,), seed=3)
    train, test = seen(cls), unseen(cls)
    fresh = scores_of(fitted(cls, train), test)
    probe = fitted(cls, seen(cls, seed=3))
    probe.fit(train.x, train.y, **train.to_fit(cls.needs))
    _require_forgotten(fresh, probe, test, "a probe that was fitted before")
    probe = fitted(cls, other)
    probe.fit(train.x, train.y, **train.to_fit(cls.needs))
    _require_forgotten(fresh, probe, test, "a probe that was fitted on other layers before")
    _require_forgotten(
        fresh, fitted(cls, train), test, "a new probe, after another of its class was fitted,"
    )


def _require_forgotten(fresh: Float[Tensor, "n"], probe: Probe, test: Planted, what: str) -> None:
    require(
        torch.equal(fresh, scores_of(probe, test)),
        f"{what} scores differently from a fresh one; keep nothing between fits",
    )


def scores_alike_twice(cls: type[Probe]) -> None:
    """Scoring leaves no trace."""
    test = unseen(cls)
    probe = fitted(cls, seen(cls))
    first = scores_of(probe, test)
    scores_of(probe, replace(test, x=test.x + 5))
    require(
        torch.equal(first, scores_of(probe, test)),
        "the same states score differently the second time; `score` must keep and draw nothing",
    )


def same_seed_same_scores(cls: type[Probe]) -> None:
    """Randomness comes from the seed, and global generators are neither read nor moved."""
    train, test = seen(cls), unseen(cls)
    kept = torch.get_rng_state(), np.random.get_state(legacy=False)
    try:
        torch.manual_seed(1)
        np.random.seed(1)
        first = scores_of(fitted(cls, train), test)
        torch.manual_seed(2)
        np.random.seed(2)
        before = _global_draws()
        second = scores_of(fitted(cls, train), test)
        moved = before != _global_draws()
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
    require(not moved, "it draws from a global generator; make one of `self.seed`")
    require(torch.equal(first, second), "two fits with one seed score differently")


def _global_draws() -> tuple[bytes, bytes, int]:
    """Where the global generators of torch and NumPy stand."""
    numpy_state = np.random.get_state(legacy=False)["state"]
    torch_state = torch.get_rng_state().numpy().tobytes()
    return torch_state, numpy_state["key"].tobytes(), numpy_state["pos"]
