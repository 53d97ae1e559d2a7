"""A probe on trial: planted states, fits, scores, and what passes for equality."""

from jaxtyping import Float
from torch import Tensor

from probes.base import Probe
from probes.checks.planted import Planted, planted
from probes.inputs import example_axis

TOLERANCE = 1e-3
"""The largest difference, relative to the spread of the scores, that passes for equality."""

N_TRAIN, N_TEST, D = 120, 60, 12


class ProbeCheckError(AssertionError):
    """A probe breaks the contract; the message is for its author."""


def require(holds: bool, sentence: str) -> None:
    """Raise ProbeCheckError with this sentence unless it holds."""
    if not holds:
        raise ProbeCheckError(sentence)


def seen(cls: type[Probe], layers: tuple[int, ...] = (), seed: int = 1) -> Planted:
    """States (*layers, 120, ..., 12) to fit on, in the shape that the probe reads."""
    return planted(cls.reads, n=N_TRAIN, d=D, layers=layers, seed=seed)


def unseen(cls: type[Probe], layers: tuple[int, ...] = ()) -> Planted:
    """States (*layers, 60, ..., 12) to score, with the same truth planted."""
    return planted(cls.reads, n=N_TEST, d=D, layers=layers, seed=2)


def fitted(cls: type[Probe], data: Planted) -> Probe:
    """A fresh probe of seed 0 that has seen the data."""
    probe = cls(seed=0)
    probe.fit(data.x, data.y, **data.to_fit(cls.needs))
    return probe


def scores_of(probe: Probe, data: Planted) -> Float[Tensor, "*layers n"]:
    """What a fitted probe says of the data."""
    return probe.score(data.x, **data.to_score(probe.needs))


def part(data: Planted, examples: Tensor, reads_axis: int) -> Planted:
    """The examples of these indices, in this order; `reads_axis` is counted from the front."""
    columns = {name: column[examples] for name, column in data.columns.items()}
    return Planted(data.x.index_select(reads_axis, examples), data.y[examples], columns)


def examples_axis(cls: type[Probe], data: Planted) -> int:
    """The axis of the examples, counted from the front."""
    return data.x.ndim + example_axis(cls.reads)


def alike(expected: Tensor, given: Tensor, spread: float | None = None) -> bool:
    """Equal up to a small part of the spread, by default that of what is expected."""
    if expected.shape != given.shape:
        return False
    if spread is None:
        spread = float(expected.double().std())
    difference = float((expected.double() - given.double()).abs().max())
    return difference <= TOLERANCE * (spread or 1.0)
