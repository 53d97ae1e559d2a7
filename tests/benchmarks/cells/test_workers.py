"""Where cells run."""

from pathlib import Path

import pytest

from benchmarks.cells.cell import cells_of
from benchmarks.cells.workers import run_cells
from benchmarks.recipe.schema import validate_recipe
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
    asked = {"name": "small", "models": ["tiny-neox"], "tasks": ["fiction"]}
    recipe = validate_recipe({**asked, "probes": ["unshared"], "transfers": ["A->B"]})
    with pytest.raises(RuntimeError, match=r"unknown probe 'unshared'.* given as a plug-in"):
        run_cells(cells_of(recipe)[:1], tmp_path / "cells", workers=1)
    assert not (tmp_path / "home").exists()
