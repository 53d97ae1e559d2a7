"""Weights & Biases: one group a run, one W&B run a cell.

W&B is never the record: what is logged is read from the run folder, nothing is read back, and
whatever goes wrong is a warning. It logs offline, into the run folder, unless `WANDB_MODE` says
otherwise, and it never asks for a login.
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

from benchmarks.results.summary import CellRecord, Summary
from benchmarks.store.artefacts import write_text

Mode = Literal["online", "offline", "shared"]
PROJECT = "quirky"
OFFLINE = ("offline", "dryrun")
INIT_TIMEOUT = 30.0  # seconds to wait for a server before logging offline
FINISH_TIMEOUT = 300.0  # seconds to wait for uploads; what is left can be sent by `wandb sync`
SUBSETS = ("all", "disagree")
TABLE = ["transfer", "probe", "control", "layer_rule", "layer", "dial", "metric", "subset"]
FIGURES = ["value", "low", "high", "n"]


def log_run(run_dir: Path) -> None:
    """Log every cell of a run folder whose results have not been logged yet.

    The last cell logged carries the report. `WANDB_MODE` is obeyed (`disabled` logs nothing);
    online without an API key, or without a server that answers, it logs offline. Never raises.
    """
    if os.environ.get("WANDB_MODE") == "disabled":
        return
    try:
        _log_cells(run_dir)
    except Exception as error:
        _warn(f"nothing more was logged: {error}")


def _log_cells(run_dir: Path) -> None:
    summary = Summary.read(run_dir)
    marker = run_dir / "wandb" / "logged.json"
    logged = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else {}
    digests = {cell.cell: _digest(summary, cell) for cell in summary.cells}
    waiting = [cell for cell in summary.cells if logged.get(cell.cell) != digests[cell.cell]]
    if not waiting:
        return
    marker.parent.mkdir(parents=True, exist_ok=True)
    mode = _mode()
    for cell in waiting:
        run, mode = _start(run_dir, summary, cell, mode)
        with run:
            _log_cell(run, summary, cell)
            if cell is waiting[-1]:
                _log_report(run, run_dir)
        logged[cell.cell] = digests[cell.cell]
        write_text(marker, json.dumps(logged, indent=1))


def _mode() -> Mode:
    """What `WANDB_MODE` asks for, but offline where that would need a login."""
    asked = os.environ.get("WANDB_MODE", "offline")
    wandb.setup(wandb.Settings(silent=True))
    if asked in OFFLINE:
        return "offline"
    if not wandb.login(prompt=False):
        _warn(
            "no API key is configured, so it logs offline; `wandb login` and `wandb sync` send it"
        )
        return "offline"
    return "online" if asked == "run" else cast(Mode, asked)


def _start(run_dir: Path, summary: Summary, cell: CellRecord, mode: Mode) -> tuple[wandb.Run, Mode]:
    """Begin a W&B run; where the server does not answer, offline, and so from then on."""
    try:
        return _init(run_dir, summary, cell, mode), mode
    except Exception as error:
        if mode == "offline":
            raise
        _warn(f"the server cannot be used, so it logs offline: {error}")
        return _init(run_dir, summary, cell, "offline"), "offline"


def _init(run_dir: Path, summary: Summary, cell: CellRecord, mode: Mode) -> wandb.Run:
    manifest = summary.manifest
    shared = ("recipe", "recipe_hash", "versions", "git_commit", "git_dirty", "hardware", "threads")
    columns = ("cell", "model", "task", "trigger", "distance", "prompts", "seed", "variant")
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
        config={key: manifest[key] for key in shared}
        | {column: getattr(cell, column) for column in columns},
        reinit="create_new",
        settings=settings,
    )


def _log_cell(run: wandb.Run, summary: Summary, cell: CellRecord) -> None:
    run.define_metric("layer", hidden=True)
    run.define_metric("curve/*", step_metric="layer", summary="none")
    curves = _curves(summary.results[summary.results["cell"] == cell.cell])
    for layer, row in curves.items():
        run.log({"layer": layer, **row}, step=layer)
    after = max(curves, default=0) + 1
    run.log({"transfers": _transfer_table(_all_figures(summary, cell))}, step=after)
    run.summary.update(_headline(summary, cell) | _gate(cell))


def _log_report(run: wandb.Run, run_dir: Path) -> None:
    report = run_dir / "report.html"
    if report.exists():
        run.log({"report": wandb.Html(report, inject=False)})


def _curves(results: pd.DataFrame) -> dict[int, dict[str, float]]:
    """By layer, the keys `curve/<transfer>/<probe>[/<control>]/auroc_<subset>`."""
    rows = results[
        (results["layer_rule"] == "each")
        & (results["site"] == "resid")
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
    """Every figure against the truth under a layer rule or without one; none of withheld facts."""
    rows = results[
        (results["layer_rule"] != "each")
        & (results["against"] == "truth")
        & (results["subset"] != "withheld")
    ][TABLE + FIGURES]
    plain = rows.astype(object).where(rows.notna(), None)
    data: list[Iterable[Any]] = [list(row) for row in plain.to_numpy()]
    return wandb.Table(columns=[*TABLE, *FIGURES], data=data)


def _headline(summary: Summary, cell: CellRecord) -> dict[str, float]:
    """The fixed keys: `transfer/<source>-><target>/<probe>/auroc_<subset>`, by EIL on `resid`."""
    return {
        f"transfer/{transfer}/{name}/auroc_{subset}": figure.value
        for transfer in summary.transfers
        for name in (*summary.headline_probes, *summary.readers)
        for subset in SUBSETS
        if (figure := summary.figure(cell, name, transfer, subset=subset)) and not figure.blank
    }


def _gate(cell: CellRecord) -> dict[str, Any]:
    gate = cell.gate
    return {"gate/gated": gate["gated"], "gate/passed": gate["passed"]} | dict(_gate_figures(cell))


def _gate_figures(cell: CellRecord) -> Iterator[tuple[str, float]]:
    for figure in cell.gate["figures"]:
        if figure["value"] is not None and not math.isnan(figure["value"]):
            names = (figure[part] for part in ("split", "context", "against", "subset"))
            yield "/".join(["gate", *names]), figure["value"]


def _all_figures(summary: Summary, cell: CellRecord) -> pd.DataFrame:
    """The figures of a cell, of all settings of a dial together and then of each."""
    figures = pd.concat([summary.results, summary.at_dials])
    return figures[figures["cell"] == cell.cell]


def _digest(summary: Summary, cell: CellRecord) -> str:
    """Hash of all figures of a cell, so that what has changed is logged again."""
    rows = _all_figures(summary, cell)
    told = rows.to_csv(index=False) + json.dumps(cell.gate, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _warn(message: str) -> None:
    warnings.warn(f"Weights & Biases: {message}", RuntimeWarning, stacklevel=3)
