"""Worker processes."""

from pathlib import Path

import pytest

from benchmarks.cells.cell import ResolvedCell, list_cells
from benchmarks.cells.workers import compute_cells
from benchmarks.recipe.load import validate_recipe
from benchmarks.store.datasets import ResolvedDataset
from finetune.models.resolve import resolve_model
from probes import LinearProbe, register_probe, registry


class Unshared(LinearProbe):
    """Registered in this process alone."""

    name = "unshared"
    reads = "prompt"
    supervision = "labels"


def test_a_probe_that_the_workers_do_not_know_is_told_before_any_tuning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.PROBES, "_registered", {})
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    register_probe(Unshared)
    content = {"name": "small", "models": ["tiny-neox"], "tasks": ["fiction"]}
    recipe = validate_recipe({**content, "probes": ["unshared"], "transfers": ["A->B"]})
    dataset = ResolvedDataset(tmp_path / "not-needed")
    cell = ResolvedCell(list_cells(recipe)[0], resolve_model("tiny-neox"), dataset, dataset)
    with pytest.raises(RuntimeError, match=r"unknown probe 'unshared'.* given as a plug-in"):
        compute_cells([cell], tmp_path / "cells", workers=1)
    assert not (tmp_path / "home").exists()
