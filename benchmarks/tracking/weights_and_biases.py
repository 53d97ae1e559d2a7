"""Weights & Biases: one group per run, one W&B run per cell.

W&B is never the record: everything logged is read from the run folder, nothing is read back, and a
failure is only a warning. Logging is offline, into the run folder, unless `WANDB_MODE` says
otherwise, and never asks for a login.
"""

import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

import pandas as pd
import wandb

from benchmarks.results.records import CELL_COLUMNS, CellRecord
from benchmarks.results.summary import RESID, Summary
from benchmarks.store.artefacts import write_text

Mode = Literal["online", "offline", "shared"]
PROJECT = "quirky"
OFFLINE = ("offline", "dryrun")
INIT_TIMEOUT = 30.0  # seconds to wait for a server before logging offline
FINISH_TIMEOUT = 300.0  # seconds to wait for uploads; `wandb sync` can send the rest
SUBSETS = ("all", "disagree")
TABLE_COLUMNS: list[str | int] = [
    *("transfer", "probe", "control", "layer_rule", "layer", "dial", "metric", "subset"),
    *("value", "low", "high", "n"),
]
CONFIG = ("recipe", "recipe_hash", "versions", "git_commit", "git_dirty", "hardware", "threads")
"""Keys of the manifest that every W&B run's config has, beside the cell's columns."""


def log_run(run_dir: Path) -> None:
    """Log every cell of a run folder whose current results are not logged yet.

    The last of these W&B runs has the report. `WANDB_MODE` is respected (`disabled` logs nothing);
    online without an API key or without a server that answers, logging is offline. Never raises.
    """
    if os.environ.get("WANDB_MODE") == "disabled":
        return
    try:
        _log_cells(run_dir)
    except Exception as error:  # the run itself has succeeded
        _warn(f"nothing more was logged: {error}")


def _log_cells(run_dir: Path) -> None:
    summary = Summary.read(run_dir)
    marker = run_dir / "wandb" / "logged.json"
    logged = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else {}
    digests = {cell.cell: _digest(summary, cell) for cell in summary.cells}
    pending = [cell for cell in summary.cells if logged.get(cell.cell) != digests[cell.cell]]
    if not pending:
        return
    marker.parent.mkdir(parents=True, exist_ok=True)
    mode = _mode()
    for cell in pending:
        run, mode = _start(run_dir, summary, cell, mode)
        with run:
            _log_cell(run, summary, cell)
            if cell is pending[-1]:
                _log_report(run, run_dir)
        logged[cell.cell] = digests[cell.cell]
        write_text(marker, json.dumps(logged, indent=1))


def _mode() -> Mode:
    """Return the mode in `WANDB_MODE`, or offline where that mode would need a login."""
    mode = os.environ.get("WANDB_MODE", "offline")
    wandb.setup(wandb.Settings(silent=True))
    if mode in OFFLINE:
        return "offline"
    if not wandb.login(prompt=False):
        _warn(
            "no API key is configured, so it logs offline; `wandb login` and `wandb sync` upload it"
        )
        return "offline"
    return "online" if mode == "run" else cast(Mode, mode)


def _start(run_dir: Path, summary: Summary, cell: CellRecord, mode: Mode) -> tuple[wandb.Run, Mode]:
    """Start a W&B run, offline if the server fails; returns the mode for the next cells too."""
    try:
        return _init(run_dir, summary, cell, mode), mode
    except Exception as error:
        if mode == "offline":
            raise
        _warn(f"the server cannot be used, so it logs offline: {error}")
        return _init(run_dir, summary, cell, "offline"), "offline"


def _init(run_dir: Path, summary: Summary, cell: CellRecord, mode: Mode) -> wandb.Run:
    manifest = summary.manifest
    settings = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        init_timeout=INIT_TIMEOUT,
        finish_timeout=FINISH_TIMEOUT,
    )
    return wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        group=manifest["name"],
        name=cell.cell,
        job_type=cell.variant,
        dir=run_dir,
        mode=mode,
        config={key: manifest[key] for key in CONFIG}
        | {column: getattr(cell, column) for column in CELL_COLUMNS},
        reinit="create_new",
        settings=settings,
    )


def _log_cell(run: wandb.Run, summary: Summary, cell: CellRecord) -> None:
    run.define_metric("layer", hidden=True)
    run.define_metric("curve/*", step_metric="layer", summary="none")
    curves = _curves(summary.results[summary.results["cell"] == cell.cell])
    for layer, row in curves.items():
        run.log({"layer": layer, **row}, step=layer)
    next_step = max(curves, default=0) + 1
    run.log({"transfers": _transfer_table(_cell_results(summary, cell))}, step=next_step)
    run.summary.update(_headline(summary, cell) | _gate(cell))


def _log_report(run: wandb.Run, run_dir: Path) -> None:
    report = run_dir / "report.html"
    if report.exists():
        run.log({"report": wandb.Html(report, inject=False)})


def _curves(results: pd.DataFrame) -> dict[int, dict[str, float]]:
    """Return by layer the values of `curve/<transfer>/<probe>[/<control>]/auroc_<subset>`."""
    rows = results[
        (results["layer_rule"] == "each")
        & (results["site"] == RESID)
        & (results["metric"] == "auroc")
        & (results["against"] == "truth")
        & results["subset"].isin(SUBSETS)
        & results["value"].notna()
    ].sort_values("layer")
    curves: dict[int, dict[str, float]] = {}
    for row in rows.to_dict("records"):
        parts = ["curve", row["transfer"], row["probe"], row["control"], f"auroc_{row['subset']}"]
        key = "/".join(part for part in parts if part)
        curves.setdefault(int(row["layer"]), {})[key] = float(row["value"])
    return curves


def _transfer_table(results: pd.DataFrame) -> wandb.Table:
    """Return all estimates against the truth but curves and those on withheld facts."""
    rows = results[
        (results["layer_rule"] != "each")
        & (results["against"] == "truth")
        & (results["subset"] != "withheld")
    ][TABLE_COLUMNS]
    with_none = rows.astype(object).where(rows.notna(), None)
    data: list[Iterable[Any]] = [list(row) for row in with_none.to_numpy()]
    return wandb.Table(columns=TABLE_COLUMNS, data=data)


def _headline(summary: Summary, cell: CellRecord) -> dict[str, float]:
    """Return the headline keys: `transfer/<source>-><target>/<probe>/auroc_<subset>`."""
    return {
        f"transfer/{transfer}/{name}/auroc_{subset}": estimate.value
        for transfer in summary.transfers
        for name in (*summary.headline_probes, *summary.readers)
        for subset in SUBSETS
        if (estimate := summary.estimate(cell, name, transfer, subset=subset))
        and not estimate.is_undefined
    }


def _gate(cell: CellRecord) -> dict[str, Any]:
    verdict = {"gate/gated": cell.gate["gated"], "gate/passed": cell.gate["passed"]}
    return verdict | dict(_gate_figures(cell))


def _gate_figures(cell: CellRecord) -> Iterator[tuple[str, float]]:
    for figure in cell.gate["figures"]:
        if figure["value"] is not None and not math.isnan(figure["value"]):
            names = [figure[part] for part in ("split", "context", "against", "subset")]
            metric = [] if figure["metric"] == "auroc" else [figure["metric"]]
            yield "/".join(["gate", *names, *metric]), figure["value"]


def _cell_results(summary: Summary, cell: CellRecord) -> pd.DataFrame:
    """Return the results of a cell: over all settings of a dial together, then at each."""
    results = pd.concat([summary.results, summary.dial_results])
    return results[results["cell"] == cell.cell]


def _digest(summary: Summary, cell: CellRecord) -> str:
    """Return a hash of all results of a cell, so that a cell is logged again when they change."""
    content = _cell_results(summary, cell).to_csv(index=False) + json.dumps(
        cell.gate, sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _warn(message: str) -> None:
    warnings.warn(f"Weights & Biases: {message}", RuntimeWarning, stacklevel=3)
