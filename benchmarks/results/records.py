"""What a run measured: estimates, and the cells that they belong to."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.metrics.estimates import Estimate
from benchmarks.scoring.gate import GateFigure, failures

CELL_COLUMNS = ("cell", "model", "task", "trigger", "distance", "prompts", "seed", "variant")
"""Columns of the manifest and the results that identify a cell."""


@dataclass(frozen=True)
class LayerEstimate(Estimate):
    """An estimate and the block it was read from; None for readers without a layer."""

    layer: int | None = None

    @property
    def is_undefined(self) -> bool:
        """Whether there is no value, as for an AUROC of one class."""
        return math.isnan(self.value)


@dataclass(frozen=True)
class CellRecord:
    """One model on one task, as the manifest lists it, with the content of its `gate.json`."""

    cell: str
    model: str
    task: str
    trigger: str
    distance: int
    prompts: str
    seed: int
    variant: str
    gate: dict[str, Any] = field(repr=False, compare=False)

    @property
    def is_gated(self) -> bool:
        """Whether the gate applies: True for quirky models, False for controls."""
        return bool(self.gate["gated"])

    @property
    def is_void(self) -> bool:
        """Whether the model failed the gate; a void cell is shown but enters no count and mean."""
        return self.is_gated and not self.gate["passed"]

    @property
    def is_counted(self) -> bool:
        """Whether the model passed the gate, so that it enters counts, means and the headline."""
        return self.is_gated and bool(self.gate["passed"])

    @property
    def identity(self) -> tuple[Any, ...]:
        """What the quirky cell and its controls have in common: everything but the variant."""
        return self.model, self.task, self.trigger, self.distance, self.prompts, self.seed

    def caveats(self, transfer: str) -> tuple[str, ...]:
        """Return why estimates on a transfer say nothing about this model; empty if they do.

        The failures of a void model apply to every transfer. Where a model does not follow its
        quirk in B2, reading the truth there is not reading through a lie.
        """
        if not self.is_gated:
            return ()
        figures = (GateFigure(**figure) for figure in self.gate["figures"])
        unseen_failures = failures(figures, ["B2"]) if transfer.endswith("->B2") else ()
        return (*self.gate["reasons"], *unseen_failures)


@dataclass(frozen=True)
class Group:
    """A quirky cell with its controls: other variants of the same model on the same task."""

    main: CellRecord
    controls: tuple[CellRecord, ...]
    row: str
    """Heading shared with the same model on other tasks."""

    @property
    def task(self) -> str:
        """Heading shared with other models on the same task."""
        return self.main.task

    @property
    def name(self) -> str:
        """The model and the task, for running text."""
        return f"{self.row} on {self.task}"


def mean_value(estimates: Iterable[LayerEstimate | None]) -> tuple[float, int]:
    """Return the mean of the defined values and their number; the mean of none is NaN."""
    values = [estimate.value for estimate in estimates if estimate and not estimate.is_undefined]
    return (sum(values) / len(values) if values else math.nan), len(values)
