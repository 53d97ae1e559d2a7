"""What the checks share: planted data, fitting, scoring, and the tolerance for equality."""

from jaxtyping import Float
from torch import Tensor

from probes.base import Probe
from probes.checks.planted import PlantedData, plant_truth
from probes.inputs import example_axis

TOLERANCE = 1e-3
"""Scores are equal if they differ by at most this fraction of their spread."""

N_TRAIN, N_TEST, D = 120, 60, 12


class ProbeCheckError(AssertionError):
    """A probe breaks the contract; the message is for its author."""


def require(condition: bool, message: str) -> None:
    """Raise ProbeCheckError with this message unless the condition holds."""
    if not condition:
        raise ProbeCheckError(message)


def make_train_data(cls: type[Probe], layers: tuple[int, ...] = (), seed: int = 1) -> PlantedData:
    """Return states (*layers, 120, ..., 12) to fit on, in the shape that the probe reads."""
    return plant_truth(cls.reads, n=N_TRAIN, d=D, layers=layers, seed=seed)


def make_test_data(cls: type[Probe], layers: tuple[int, ...] = ()) -> PlantedData:
    """Return states (*layers, 60, ..., 12) to score, with the same truth planted."""
    return plant_truth(cls.reads, n=N_TEST, d=D, layers=layers, seed=2)


def fit_probe(cls: type[Probe], data: PlantedData) -> Probe:
    """Return a new probe of seed 0, fitted on the data."""
    probe = cls(seed=0)
    probe.fit(data.x, data.y, **data.fit_columns(cls.needs))
    return probe


def score_data(probe: Probe, data: PlantedData) -> Float[Tensor, "*layers n"]:
    """Return the scores of a fitted probe."""
    return probe.score(data.x, **data.score_columns(probe.needs))


def select_examples(data: PlantedData, indices: Tensor, axis: int) -> PlantedData:
    """Return the examples of these indices, in this order; `axis` is that of `examples_axis`."""
    columns = {name: column[indices] for name, column in data.columns.items()}
    return PlantedData(data.x.index_select(axis, indices), data.y[indices], columns)


def examples_axis(cls: type[Probe], data: PlantedData) -> int:
    """Return the axis of the examples, counted from the front."""
    return data.x.ndim + example_axis(cls.reads)


def are_close(expected: Tensor, actual: Tensor, spread: float | None = None) -> bool:
    """Return whether scores are equal up to a fraction of `spread`, by default of the expected."""
    if expected.shape != actual.shape:
        return False
    if spread is None:
        spread = float(expected.double().std())
    difference = float((expected.double() - actual.double()).abs().max())
    return difference <= TOLERANCE * (spread or 1.0)
