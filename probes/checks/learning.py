"""Checks that a probe finds a planted direction, and learns it from the labels."""

from dataclasses import replace

from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import Probe
from probes.checks.fixtures import (
    are_close,
    fit_probe,
    make_test_data,
    make_train_data,
    require,
    score_data,
)
from probes.checks.planted import plant_truth
from probes.linear import LinearProbe


def finds_planted_wide(cls: type[Probe]) -> None:
    """Check that a planted direction is found with more features than examples."""
    _require_planted_direction(cls, n=60, d=100)


def finds_planted_tall(cls: type[Probe]) -> None:
    """Check that a planted direction is found with more examples than features."""
    _require_planted_direction(cls, n=300, d=10)


def _require_planted_direction(cls: type[Probe], n: int, d: int) -> None:
    train = plant_truth(cls.reads, n=n, d=d, seed=1)
    test = plant_truth(cls.reads, n=200, d=d, seed=2)
    auroc = _auroc(score_data(fit_probe(cls, train), test), test.y)
    require(
        auroc >= 0.95,
        f"a planted direction is found with AUROC {auroc:.3f} where d = {d}, n = {n}; "
        "it should be at least .95",
    )


def _auroc(scores: Float[Tensor, "n"], y: Bool[Tensor, "n"]) -> float:
    """Return the share of (true, false) pairs where the true claim scores higher; ties are half."""
    return float((scores[y, None] - scores[~y]).sign().mean() + 1) / 2


def mirrors_labels(cls: type[Probe]) -> str | None:
    """Check that flipped labels negate the scores of a linear probe that learns from labels."""
    if not issubclass(cls, LinearProbe):
        return "it is not a LinearProbe"
    if cls.supervision == "none":
        return "it reads no labels"
    train, test = make_train_data(cls), make_test_data(cls)
    flipped = replace(train, y=~train.y)
    scores, mirrored = (score_data(fit_probe(cls, data), test) for data in (train, flipped))
    require(are_close(scores, -mirrored), "flipping all labels must negate the scores")
    return None
