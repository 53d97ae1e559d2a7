"""What a run folder holds, ready to be looked up: cells, gates, figures and curves.

The report and the tracker both read a run through this file, so they cannot disagree.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from benchmarks.metrics.estimates import Estimate
from benchmarks.recipe.schema import READERS
from benchmarks.results.table import read_results
from benchmarks.scoring.gate import GateFigure, failures

HEADLINE_TRANSFER = "A->B"
HEADLINE_RULE = "eil"
RESID = ("resid", "none")
"""Where a probe goes by its own name; at a recurrent state it is `lr at ssm_state`."""


@dataclass(frozen=True)
class LayerEstimate(Estimate):
    """A figure and the block it was read from; None for readers that have no layer."""

    layer: int | None = None

    @property
    def blank(self) -> bool:
        """Whether there is no figure to show."""
        return math.isnan(self.value)


class Key(NamedTuple):
    """What names one figure of a cell, but for the layer of a curve."""

    cell: str
    probe: str
    control: str
    rule: str
    transfer: str
    against: str
    metric: str
    subset: str


@dataclass(frozen=True)
class CellRecord:
    """One model on one task, as the manifest lists it, with its gate."""

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
    def void(self) -> bool:
        """Gated and not passed: shown, and counted nowhere."""
        return bool(self.gate["gated"]) and not self.gate["passed"]

    @property
    def counts(self) -> bool:
        """Gated and passed: enters averages and the headline."""
        return bool(self.gate["gated"]) and bool(self.gate["passed"])

    def silent_on(self, transfer: str) -> tuple[str, ...]:
        """Why figures on a transfer say nothing of this model; nothing if they say something.

        A model that failed the gate has its faults against every transfer. Where a quirky model
        does not follow its quirk in B2, a probe that reads the truth there reads no lie.
        """
        if not self.gate["gated"]:
            return ()
        found = (GateFigure(**figure) for figure in self.gate["figures"])
        unseen = failures(found, ["B2"]) if transfer.endswith("->B2") else ()
        return (*self.gate["reasons"], *unseen)


@dataclass(frozen=True)
class Group:
    """A quirky cell and the other variants of the same model on the same task."""

    main: CellRecord
    others: tuple[CellRecord, ...]
    row: str
    """Heading that the group shares with the same model on other tasks."""

    @property
    def task(self) -> str:
        """Heading that the group shares with other models on the same task."""
        return self.main.task

    @property
    def name(self) -> str:
        """How the group is called in text."""
        return f"{self.row} on {self.task}"


@dataclass(frozen=True)
class Summary:
    """One run: its manifest, its cells in the manifest's order, and its tidy results."""

    manifest: dict[str, Any]
    cells: tuple[CellRecord, ...]
    results: pd.DataFrame
    """Of all settings of a task's dial together."""
    at_dials: pd.DataFrame
    """Of each setting, where a task has a dial."""

    @classmethod
    def read(cls, run_dir: Path) -> Self:
        """Read a run folder.

        Raises FileNotFoundError if a part of it is missing, ValueError if its results are those of
        an earlier version.
        """
        results = _sited(read_results(run_dir / "results.parquet"))
        manifest = json.loads((run_dir / "manifest.json").read_text(encoding="utf-8"))
        cells = []
        for entry in manifest["cells"]:
            gate = run_dir / "cells" / entry["cell"] / "gate.json"
            cells.append(_cell(entry, json.loads(gate.read_text(encoding="utf-8"))))
        whole = results["dial"].isna()
        return cls(manifest, tuple(cells), results[whole], results[~whole])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The quirky cells (or what stands in for them), each with its other variants."""
        together: dict[tuple[Any, ...], list[CellRecord]] = {}
        for cell in self.cells:
            together.setdefault(_identity(cell), []).append(cell)
        groups = []
        for cells in together.values():
            main = next((cell for cell in cells if cell.gate["gated"]), cells[0])
            others = tuple(cell for cell in cells if cell is not main)
            groups.append(Group(main, others, self.row(main)))
        return tuple(groups)

    @cached_property
    def probes(self) -> tuple[str, ...]:
        """Probes of hidden states, in the recipe's order: at `resid`, then at each other site."""
        recipe = self.manifest["recipe"]
        named = [_name(entry) for entry in recipe.get("probes", [])]
        sites = dict.fromkeys([RESID[0], *recipe.get("sites", ())])
        ordered = [_at(name, site) for site in sites for name in named]
        return self._present("probe", ordered, without=READERS)

    @cached_property
    def headline_probes(self) -> tuple[str, ...]:
        """Probes at `resid`, where the headline is read."""
        there = set(self.results.loc[self.results["site"] == RESID[0], "probe"])
        return tuple(probe for probe in self.probes if probe in there)

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """The readers that need no hidden state and are in the results."""
        return tuple(reader for reader in READERS if (self.results["probe"] == reader).any())

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Controls by another fit on the same model, such as shuffled labels."""
        return self._present("control", ["shuffled"], without=("",))

    @cached_property
    def transfers(self) -> tuple[str, ...]:
        """Transfers, in the recipe's order."""
        return self._present("transfer", self.manifest["recipe"].get("transfers", []))

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """Layer rules that turn scores by layer into one, in the recipe's order."""
        named = self.manifest["recipe"].get("layer_rules", [])
        return self._present("layer_rule", named, without=("each", "none"))

    def figure(
        self,
        cell: CellRecord,
        probe: str,
        transfer: str = HEADLINE_TRANSFER,
        *,
        rule: str = HEADLINE_RULE,
        control: str = "",
        subset: str = "disagree",
        metric: str = "auroc",
        against: str = "truth",
    ) -> LayerEstimate | None:
        """One figure, or None if the run did not measure it.

        For readers that have no layer the rule does not matter.
        """
        applied = "none" if probe in READERS else rule
        key = Key(cell.cell, probe, control, applied, transfer, against, metric, subset)
        found = self._figures.get(key)
        return found[0] if found else None

    def by_dial(
        self,
        cell: CellRecord,
        probe: str,
        transfer: str = HEADLINE_TRANSFER,
        *,
        subset: str = "disagree",
        metric: str = "auroc",
        against: str = "truth",
    ) -> dict[float, LayerEstimate]:
        """A figure at every setting of the task's dial where it is defined."""
        rule = "none" if probe in READERS else HEADLINE_RULE
        key = Key(cell.cell, probe, "", rule, transfer, against, metric, subset)
        return {
            dial: figure
            for (found, figure), dial in zip(
                _rows(self.at_dials), self.at_dials["dial"], strict=True
            )
            if found == key and not figure.blank
        }

    def curve(
        self,
        cell: CellRecord,
        probe: str,
        transfer: str = HEADLINE_TRANSFER,
        *,
        subset: str = "disagree",
        control: str = "",
    ) -> list[LayerEstimate]:
        """AUROC against the truth by layer, without the layers where it is not defined."""
        key = Key(cell.cell, probe, control, "each", transfer, "truth", "auroc", subset)
        points = [point for point in self._figures.get(key, []) if not point.blank]
        return sorted(points, key=lambda point: point.layer or 0)

    def best_with_hindsight(self, cell: CellRecord, probe: str) -> LayerEstimate | None:
        """The headline figure at the layer where it is highest: an oracle, never a result."""
        curve = self.curve(cell, probe)
        return max(curve, key=lambda point: point.value) if curve else None

    @cached_property
    def _figures(self) -> dict[Key, list[LayerEstimate]]:
        figures: dict[Key, list[LayerEstimate]] = {}
        for key, figure in _rows(self.results):
            figures.setdefault(key, []).append(figure)
        return figures

    def row(self, cell: CellRecord, without: str = "") -> str:
        """The model, and whatever else sets cells of this run apart, but for one column."""
        parts = [cell.model]
        for name in ("trigger", "distance", "prompts", "seed"):
            if name != without and len({getattr(other, name) for other in self.cells}) > 1:
                value = getattr(cell, name)
                parts.append(f"{name} {value}" if name in ("distance", "seed") else str(value))
        return ", ".join(parts)

    def _present(
        self, column: str, order: Sequence[str], without: Sequence[str] = ()
    ) -> tuple[str, ...]:
        found = [value for value in self.results[column].unique() if value not in without]
        first = [value for value in dict.fromkeys(order) if value in found]
        return tuple(first + sorted(set(found) - set(first)))


def mean(figures: Sequence[LayerEstimate | None]) -> tuple[float, int]:
    """Mean over the figures that are defined, and how many they are; NaN of none."""
    values = [figure.value for figure in figures if figure and not figure.blank]
    return (sum(values) / len(values) if values else math.nan), len(values)


def number(value: float) -> str:
    """Two decimals without a leading zero: .87, 1.00, −.43; an en dash if not defined."""
    if math.isnan(value):
        return "–"
    digits = f"{abs(value):.2f}"
    digits = digits.removeprefix("0") if digits.startswith("0.") else digits
    return f"−{digits}" if value < 0 and digits != ".00" else digits


def with_interval(figure: Estimate) -> str:
    """A figure and its interval: .87 [.82, .91]."""
    if math.isnan(figure.value) or math.isnan(figure.low) or math.isnan(figure.high):
        return number(figure.value)
    return f"{number(figure.value)} [{number(figure.low)}, {number(figure.high)}]"


def _sited(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results with the site in the probe's name where it is a recurrent state."""
    names = [_at(probe, site) for probe, site in zip(results.probe, results.site, strict=True)]
    return results.assign(probe=names)


def _at(probe: str, site: str) -> str:
    return probe if site in RESID else f"{probe} at {site}"


def _rows(results: pd.DataFrame) -> Iterator[tuple[Key, LayerEstimate]]:
    numbers = results[["value", "low", "high"]].astype(float).itertuples(index=False)
    keys = results[
        ["cell", "probe", "control", "layer_rule", "transfer", "against", "metric", "subset"]
    ].itertuples(index=False)
    for key, (value, low, high), n, layer in zip(
        keys, numbers, results["n"], results["layer"], strict=True
    ):
        block = None if pd.isna(layer) else int(layer)
        yield Key(*key), LayerEstimate(value, low, high, int(n), block)


def _cell(entry: dict[str, Any], gate: dict[str, Any]) -> CellRecord:
    columns = ("cell", "model", "task", "trigger", "distance", "prompts", "seed", "variant")
    return CellRecord(**{column: entry[column] for column in columns}, gate=gate)


def _identity(cell: CellRecord) -> tuple[Any, ...]:
    return cell.model, cell.task, cell.trigger, cell.distance, cell.prompts, cell.seed


def _name(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else entry.get("as") or entry["name"]
