"""Run a recipe: check everything first, then compute the missing cells, then report."""

import importlib.metadata
import json
import os
import platform
import subprocess
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from datasets import DatasetDict
from jaxtyping import Float
from torch import Tensor

from benchmarks.cell import (
    TRAIN_THREADS,
    Cell,
    all_columns,
    cells_of,
    data_of,
    is_done,
    load_data,
    stored_states,
)
from benchmarks.engine import console, run_cells
from benchmarks.recipe import Recipe, load_recipe
from benchmarks.report import write_report
from benchmarks.store import write_text
from benchmarks.tracking import log_run
from benchmarks.transfer import check_contexts
from finetune.families import lora_targets
from finetune.lora import check_targets
from finetune.models import check_model, load_skeleton, load_tokenizer
from finetune.reading import answer_tokens

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "datasets",
    "scikit-learn",
    "concept-erasure",
    "quirky",
)


@dataclass(frozen=True)
class Run:
    """A folder of results."""

    folder: Path

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.folder / "report.html"

    def results(self) -> pd.DataFrame:
        """Return the tidy table of all figures (DESIGN.md section 3)."""
        return pd.read_parquet(self.folder / "results.parquet")

    def cells(self) -> list[str]:
        """Return the names of the cells."""
        return [
            cell["cell"]
            for cell in json.loads((self.folder / "manifest.json").read_text())["cells"]
        ]

    def examples(self, cell: str) -> pd.DataFrame:
        """Return the scored examples of a cell, in the order of its scores."""
        return pd.read_parquet(self._cell(cell) / "examples.parquet")

    def scores(self, cell: str) -> pd.DataFrame:
        """Return every probe's scores in a cell."""
        return pd.read_parquet(self._cell(cell) / "scores.parquet")

    def states(
        self, cell: str, site: str = "resid", reads: Literal["prompt", "pair"] = "prompt"
    ) -> Float[Tensor, "layers n ..."]:
        """Return hidden states of validation, heldout and test examples, in that order.

        Raises:
            ValueError: if the cell or the site is unknown.
        """
        if site != "resid":
            raise ValueError(f"site {site!r}; known: resid")
        return stored_states(self._cell(cell)).read(reads)

    def _cell(self, cell: str) -> Path:
        folder = self.folder / "cells" / cell
        if not (folder / "cell.json").exists():
            raise ValueError(f"unknown cell {cell!r}; known: {', '.join(self.cells())}")
        return folder


def run(
    recipe: Recipe | str,
    *,
    changes: Mapping[str, Any] | None = None,
    to: Path | str = "runs",
    workers: int | None = None,
) -> Run:
    """Run a recipe, by name, path or value, and return its results.

    What is already computed, by this run or any other, is not computed again.

    Raises:
        ValueError: before any model is loaded, in one line: what is wrong and what would be right.
    """
    started = time.monotonic()
    recipe = load_recipe(recipe, changes) if isinstance(recipe, str) else recipe
    folder = Path(to) / recipe.name
    check(recipe)
    cells = cells_of(recipe)
    missing = [cell for cell in cells if not is_done(cell, folder / "cells" / cell.name)]
    if missing:
        console.print(f"{recipe.name}: {len(missing)} of {len(cells)} cells to compute")
    run_cells(missing, folder / "cells", workers)
    _collect(recipe, cells, folder, time.monotonic() - started if missing else None)
    write_report(folder)
    log_run(folder)
    return Run(folder)


def check(recipe: Recipe) -> None:
    """Find out everything that can be known before a model is loaded.

    Models are built on the meta device, without weights; data sets are built for good.

    Raises:
        ValueError: in one line.
    """
    check_device(recipe.device)
    for model in recipe.models:
        check_model(model.name, model.revision)
        skeleton = load_skeleton(model.name, model.revision)
        lora_targets(skeleton)
        for task in recipe.tasks:
            check_targets(skeleton, recipe.finetuning(model, task).targets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # sizes are told below, from the data
        for task in recipe.tasks:
            for seed in recipe.seeds:
                data = load_data(data_of(recipe, task, seed))
                _tell_sizes(recipe, task.label, data)
                columns = all_columns(data)
                check_contexts(columns, recipe, task.label)
                pairs = {(false, true) for false, true in columns["choices"]}
                for model in recipe.models:
                    tokenizer = load_tokenizer(model.name, model.revision)
                    for pair in sorted(pairs):
                        answer_tokens(tokenizer, pair)


def _tell_sizes(recipe: Recipe, task: str, data: DatasetDict) -> None:
    """Say how many facts a task gives where it has fewer than were asked for."""
    known = {
        split: len(
            {fact for fact, w in zip(rows["fact_id"], rows["withheld"], strict=True) if not w}
        )
        for split, rows in data.items()
    }
    known["validation"] += known.pop("heldout")
    asked = recipe.sizes.model_dump()
    if any(known[split] < asked[split] for split in asked):
        given = ", ".join(f"{split} {known[split]} of {asked[split]}" for split in asked)
        console.print(f"note: {task} gives fewer facts than asked for: {given}", highlight=False)


def check_device(name: str) -> None:
    """Make sure that the device is known and there.

    Raises:
        ValueError: naming the device and what is there.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device {name!r}: write cpu, cuda or cuda:N") from None
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(f"device {name!r}: this machine has {count} CUDA devices that torch sees")


def _collect(recipe: Recipe, cells: list[Cell], folder: Path, seconds: float | None) -> None:
    """Write the run's table and manifest; a run that computed nothing keeps its time."""
    tables = [pd.read_parquet(folder / "cells" / c.name / "results.parquet") for c in cells]
    temporary = folder / ".results.parquet"
    pd.concat(tables, ignore_index=True).to_parquet(temporary)
    temporary.replace(folder / "results.parquet")
    manifest = folder / "manifest.json"
    before = json.loads(manifest.read_text()) if manifest.exists() else {}
    record = {
        "name": recipe.name,
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "recipe_hash": recipe.digest(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
        "hardware": hardware(),
        "threads": TRAIN_THREADS,
        "seconds": before.get("seconds") if seconds is None else round(seconds, 1),
        "cells": [cell.columns() for cell in cells],
    }
    write_text(manifest, json.dumps(record, indent=1))


def hardware() -> dict[str, Any]:
    """Return what the machine is."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus}


def _git_commit() -> str | None:
    """Return the commit of the source tree, or None where it is not a git checkout."""
    where = Path(__file__).parent
    asked = ["git", "-C", str(where), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
