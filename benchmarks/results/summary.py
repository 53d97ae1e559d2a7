"""A run folder, read for look-ups of cells, estimates and curves.

The report and the W&B log both read a run through `Summary`, so they cannot disagree.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from benchmarks.recipe.schema import READERS
from benchmarks.results.records import (
    CELL_COLUMNS,
    CellRecord,
    Group,
    LayerEstimate,
    mean_value,
)
from benchmarks.results.table import read_results
from benchmarks.scoring.leakage import is_leaky

HEADLINE_TRANSFER = "A->B"
HEADLINE_RULE = "eil"
RESID = "resid"
BARE_SITES = (RESID, "none")
"""Sites at which a probe has its plain name; elsewhere the site is added: `lr at ssm_state`."""


class EstimateKey(NamedTuple):
    """Identifies an estimate of a cell; a curve has one key and an estimate per layer."""

    cell: str
    probe: str
    control: str
    layer_rule: str
    transfer: str
    against: str
    metric: str
    subset: str


@dataclass(frozen=True)
class Summary:
    """One run: its manifest, its cells in the manifest's order, and its results."""

    manifest: dict[str, Any]
    cells: tuple[CellRecord, ...]
    results: pd.DataFrame
    """Estimates over all settings of a task's dial together."""
    dial_results: pd.DataFrame
    """Estimates at each setting of the dial, for tasks that have one."""

    @classmethod
    def read(cls, run_dir: Path) -> Self:
        """Read a run folder.

        Raises:
            FileNotFoundError: if the manifest, the results or a gate is missing.
            ValueError: if an earlier version wrote the results.
        """
        results = _add_sites(read_results(run_dir / "results.parquet"))
        manifest = json.loads((run_dir / "manifest.json").read_text(encoding="utf-8"))
        cells = []
        for entry in manifest["cells"]:
            gate = json.loads((run_dir / "cells" / entry["cell"] / "gate.json").read_text("utf-8"))
            cells.append(CellRecord(**{name: entry[name] for name in CELL_COLUMNS}, gate=gate))
        over_all_dials = results["dial"].isna()
        return cls(manifest, tuple(cells), results[over_all_dials], results[~over_all_dials])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The quirky cells, each with its controls; without a quirky cell, a control leads."""
        by_identity: dict[tuple[Any, ...], list[CellRecord]] = {}
        for cell in self.cells:
            by_identity.setdefault(cell.identity, []).append(cell)
        groups = []
        for cells in by_identity.values():
            main = next((cell for cell in cells if cell.is_gated), cells[0])
            controls = tuple(cell for cell in cells if cell is not main)
            groups.append(Group(main, controls, self.row_label(main)))
        return tuple(groups)

    @cached_property
    def probes(self) -> tuple[str, ...]:
        """Probes of hidden states, in the recipe's order: at `resid`, then at each other site."""
        recipe = self.manifest["recipe"]
        names = [_entry_name(entry) for entry in recipe.get("probes", [])]
        sites = dict.fromkeys([RESID, *recipe.get("sites", ())])
        order = [_with_site(name, site) for site in sites for name in names]
        return self._sorted_values("probe", order, without=READERS)

    @cached_property
    def headline_probes(self) -> tuple[str, ...]:
        """Probes at `resid`, the site of the headline."""
        at_resid = set(self.results.loc[self.results["site"] == RESID, "probe"])
        return tuple(probe for probe in self.probes if probe in at_resid)

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """The readers without hidden states (`lm`, `text`) that the results contain."""
        return tuple(reader for reader in READERS if (self.results["probe"] == reader).any())

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Controls that fit a probe again on the same model, such as `shuffled`."""
        return self._sorted_values("control", ["shuffled"], without=("",))

    @cached_property
    def transfers(self) -> tuple[str, ...]:
        """Transfers, in the recipe's order."""
        return self._sorted_values("transfer", self.manifest["recipe"].get("transfers", []))

    @cached_property
    def layer_rules(self) -> tuple[str, ...]:
        """Layer rules, in the recipe's order."""
        order = self.manifest["recipe"].get("layer_rules", [])
        return self._sorted_values("layer_rule", order, without=("each", "none"))

    def estimate(
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
        """Return one estimate, None if the run did not measure it.

        Readers without a layer ignore `rule`.
        """
        layer_rule = "none" if probe in READERS else rule
        key = EstimateKey(cell.cell, probe, control, layer_rule, transfer, against, metric, subset)
        estimates = self._estimates.get(key)
        return estimates[0] if estimates else None

    def estimates_by_dial(
        self,
        cell: CellRecord,
        probe: str,
        transfer: str = HEADLINE_TRANSFER,
        *,
        subset: str = "disagree",
        metric: str = "auroc",
        against: str = "truth",
    ) -> dict[float, LayerEstimate]:
        """Return an estimate for each setting of the task's dial, without the undefined ones."""
        rule = "none" if probe in READERS else HEADLINE_RULE
        wanted = EstimateKey(cell.cell, probe, "", rule, transfer, against, metric, subset)
        return {
            dial: estimate
            for (key, estimate), dial in zip(
                _iterate_rows(self.dial_results), self.dial_results["dial"], strict=True
            )
            if key == wanted and not estimate.is_undefined
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
        """Return the AUROC against the truth by layer, without the undefined ones."""
        key = EstimateKey(cell.cell, probe, control, "each", transfer, "truth", "auroc", subset)
        points = [point for point in self._estimates.get(key, []) if not point.is_undefined]
        return sorted(points, key=lambda point: point.layer or 0)

    def oracle(self, cell: CellRecord, probe: str) -> LayerEstimate | None:
        """Return the headline estimate at its best layer: chosen with hindsight, not a result."""
        curve = self.curve(cell, probe)
        return max(curve, key=lambda point: point.value) if curve else None

    def is_leaky(self, cell: CellRecord) -> bool:
        """Return whether the text of the cell's task says too much, in the mean over its cells."""
        return cell.task in self._leaky_tasks

    @cached_property
    def _leaky_tasks(self) -> frozenset[str]:
        estimates: dict[str, list[LayerEstimate | None]] = {}
        for group in self.groups:
            estimates.setdefault(group.task, []).append(self.estimate(group.main, "text"))
        means = {task: mean_value(values)[0] for task, values in estimates.items()}
        return frozenset(task for task, mean in means.items() if is_leaky(mean))

    def row_label(self, cell: CellRecord, without: str = "") -> str:
        """Return the model and the other columns in which this run's cells differ.

        The column `without` is left out.
        """
        parts = [cell.model]
        for name in ("trigger", "distance", "prompts", "seed"):
            if name != without and len({getattr(other, name) for other in self.cells}) > 1:
                value = getattr(cell, name)
                parts.append(f"{name} {value}" if name in ("distance", "seed") else str(value))
        return ", ".join(parts)

    @cached_property
    def _estimates(self) -> dict[EstimateKey, list[LayerEstimate]]:
        estimates: dict[EstimateKey, list[LayerEstimate]] = {}
        for key, estimate in _iterate_rows(self.results):
            estimates.setdefault(key, []).append(estimate)
        return estimates

    def _sorted_values(
        self, column: str, order: Sequence[str], without: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Return the values of a column: those in `order` first, then the others by name."""
        values = {value for value in self.results[column].unique() if value not in without}
        ordered = [value for value in dict.fromkeys(order) if value in values]
        return tuple(ordered + sorted(values - set(ordered)))


def _add_sites(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results with the site added to each probe's name where it is not `resid`."""
    names = [
        _with_site(probe, site) for probe, site in zip(results.probe, results.site, strict=True)
    ]
    return results.assign(probe=names)


def _with_site(probe: str, site: str) -> str:
    return probe if site in BARE_SITES else f"{probe} at {site}"


def _iterate_rows(results: pd.DataFrame) -> Iterator[tuple[EstimateKey, LayerEstimate]]:
    numbers = results[["value", "low", "high"]].astype(float).itertuples(index=False)
    keys = results[list(EstimateKey._fields)].itertuples(index=False)
    for key, (value, low, high), n, layer in zip(
        keys, numbers, results["n"], results["layer"], strict=True
    ):
        block = None if pd.isna(layer) else int(layer)
        yield EstimateKey(*key), LayerEstimate(value, low, high, int(n), block)


def _entry_name(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else entry.get("as") or entry["name"]
