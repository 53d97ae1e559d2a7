"""Run a recipe: check everything first, compute the missing cells, then write the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cells.cell import list_cells, resolve_cell
from benchmarks.cells.compute import is_done
from benchmarks.cells.progress import console
from benchmarks.cells.workers import compute_cells
from benchmarks.preflight.checks import resolve_recipe
from benchmarks.recipe.load import load_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.report import write_report
from benchmarks.results.manifest import collect_results
from benchmarks.results.run_folder import Run
from benchmarks.store import remove_unfinished, store_folders
from benchmarks.tracking.weights_and_biases import log_run
from finetune.training import processes
from quirky.plugins import load_plugin


def run(
    recipe: Recipe | str,
    *,
    overrides: Mapping[str, Any] | None = None,
    to: Path | str = "runs",
    workers: int | None = None,
    plugins: Sequence[str] = (),
) -> Run:
    """Run a recipe and return its results.

    Whatever this run or another has already computed is not computed again. Progress bars and
    warnings of transformers are turned off in this process.

    Args:
        recipe: a recipe, or the name or path of one.
        overrides: fields in place of the recipe's own, as in `benchmarks.load_recipe`.
        to: the folder that receives the run's folder.
        workers: cells that are computed at once; one per core by default.
        plugins: modules or .py files that register probes, tasks, triggers or layer rules, here
            and in every worker.

    Raises:
        ValueError: before any weight is loaded; one line: what is wrong and what would be right.
        RuntimeError: if cells fail; what was computed stays.
    """
    if processes.count() > 1:
        raise ValueError(
            f"a run starts its own workers, but {processes.count()} processes were started to "
            "train together; start one, or tune with `quirky finetune` and give the run its adapter"
        )
    for plugin in plugins:
        load_plugin(plugin)
    resolved = resolve_recipe(load_recipe(recipe, overrides) if isinstance(recipe, str) else recipe)
    folder = Path(to) / resolved.recipe.name
    for parent in (*store_folders(), folder / "cells"):
        remove_unfinished(parent)
    cells = [resolve_cell(cell, resolved) for cell in list_cells(resolved.recipe)]
    missing = [cell for cell in cells if not is_done(cell, folder / "cells" / cell.name)]
    if missing:
        console.print(f"{resolved.recipe.name}: {len(missing)} of {len(cells)} cells to compute")
    compute_cells(missing, folder / "cells", workers, plugins)
    collect_results(resolved, cells, folder)
    write_report(folder)
    log_run(folder)
    return Run(folder)
