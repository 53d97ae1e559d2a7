"""Whether a probe finds what is planted, and takes it from the labels."""

from dataclasses import replace

from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe, Probe
from probes.checks.planted import planted
from probes.checks.trial import alike, fitted, require, scores_of, seen, unseen


def finds_planted_wide(cls: type[Probe]) -> None:
    """More features than examples."""
    _finds(cls, n=60, d=100)


def finds_planted_tall(cls: type[Probe]) -> None:
    """More examples than features."""
    _finds(cls, n=300, d=10)


def _finds(cls: type[Probe], n: int, d: int) -> None:
    train = planted(cls.reads, n=n, d=d, seed=1)
    test = planted(cls.reads, n=200, d=d, seed=2)
    auroc = _auroc(scores_of(fitted(cls, train), test), test.y)
    require(
        auroc >= 0.95,
        f"a planted direction is found with AUROC {auroc:.3f} where d = {d}, n = {n}; "
        "it should be at least .95",
    )


def _auroc(scores: Float[Tensor, "n"], y: Bool[Tensor, "n"]) -> float:
    """The share of (true, false) pairs in which the true claim scores higher; ties are half."""
    return float((scores[y, None] - scores[~y]).sign().mean() + 1) / 2


def mirrors_labels(cls: type[Probe]) -> str | None:
    """Flipped labels flip the scores of a linear probe that learns from labels."""
    if not issubclass(cls, LinearProbe):
        return "it is no LinearProbe"
    if cls.supervision == "none":
        return "it reads no labels"
    train, test = seen(cls), unseen(cls)
    flipped = replace(train, y=~train.y)
    require(
        alike(scores_of(fitted(cls, train), test), -scores_of(fitted(cls, flipped), test)),
        "flipping all labels must negate the scores",
    )
    return None
