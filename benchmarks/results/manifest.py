"""Collect the cells of a run into its table and its manifest."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.cells.artefacts import TRAIN_THREADS
from benchmarks.cells.cell import ResolvedCell
from benchmarks.recipe.resolved import ResolvedRecipe
from benchmarks.results.run_folder import CellFolder
from benchmarks.store import atomic_file, write_text
from benchmarks.store.provenance import probe_origin, source_state

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "datasets",
    "scikit-learn",
    "concept-erasure",
    "quirky",
)
"""Their versions are recorded."""
HASHES = ("digest", "data", "adapter", "states", "tokens", "recurrent")
"""What a cell's record says of its inputs."""


def collect_results(resolved: ResolvedRecipe, cells: Sequence[ResolvedCell], folder: Path) -> None:
    """Write `results.parquet` and `manifest.json` of a run whose cells are all computed."""
    _write_table(cells, folder)
    write_text(folder / "manifest.json", json.dumps(_manifest(resolved, cells, folder), indent=1))


def _write_table(cells: Sequence[ResolvedCell], folder: Path) -> None:
    tables = [pd.read_parquet(folder / "cells" / c.name / "results.parquet") for c in cells]
    with atomic_file(folder / "results.parquet") as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary)


def _manifest(
    resolved: ResolvedRecipe, cells: Sequence[ResolvedCell], folder: Path
) -> dict[str, Any]:
    recipe = resolved.recipe
    records = {cell.name: CellFolder(folder / "cells" / cell.name).record() for cell in cells}
    return {
        "name": recipe.name,
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "recipe_hash": recipe.digest(),
        "models": {model.name: resolved.model(model).fingerprint for model in recipe.models},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        **source_state(),
        "plugins": {
            probe.display_name: origin
            for probe in recipe.probes
            if (origin := probe_origin(probe.make()))
        },
        "hardware": hardware(),
        "threads": TRAIN_THREADS,
        "seconds": round(sum(record["seconds"] for record in records.values()), 1),
        "cells": [cell.cell.columns() for cell in cells],
        "hashes": {
            name: {kind: record[kind] for kind in HASHES} for name, record in records.items()
        },
    }


def hardware() -> dict[str, Any]:
    """Return the architecture, the number of cores and the GPUs of this machine."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus}
