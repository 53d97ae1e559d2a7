"""Worker processes on this machine that compute cells, each with its share of the cores."""

import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

from benchmarks.cells.cell import ResolvedCell
from benchmarks.cells.compute import compute_cell
from benchmarks.cells.progress import follow, progress_bars, quiet_libraries
from benchmarks.store.provenance import probe_origin
from quirky.plugins import load_plugin

ProbeOrigins = dict[str, dict[str, str]]
"""The code of each probe, by the name that results show."""


def default_workers(cells: int, device: str = "cpu") -> int:
    """Return how many cells to compute at once: one per core, or one on an accelerator."""
    return 1 if device != "cpu" else max(1, min(cells, os.cpu_count() or 1))


def compute_cells(
    cells: Sequence[ResolvedCell],
    folder: Path,
    workers: int | None = None,
    plugins: Sequence[str] = (),
) -> None:
    """Compute the cells into `folder/<cell>` and show the stage of each worker.

    Every worker imports the plug-ins before its first cell. A cell that fails does not stop the
    others; the first failure is raised when all have ended.

    Raises:
        RuntimeError: naming the cells that failed, from the first failure.
    """
    if not cells:
        return
    workers = workers or default_workers(len(cells), cells[0].recipe.device)
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)  # workers inherit it before they import anything
    manager = SyncManager(ctx=context)
    manager.start(_end_with_parent)
    with manager, progress_bars() as bars:
        messages = manager.Queue()
        with ProcessPoolExecutor(workers, context, _start_worker, (threads, plugins)) as pool:
            futures = {
                pool.submit(
                    _compute, cell, folder, messages, _probe_origins(cell), cell.digest()
                ): cell.name
                for cell in cells
            }
            follow(futures, messages, bars)
    failures = [(name, error) for future, name in futures.items() if (error := future.exception())]
    if failures:
        names = ", ".join(name for name, _ in failures)
        name, error = failures[0]
        raise RuntimeError(
            f"{len(failures)} of {len(cells)} cells failed ({names}); {name}: {error}"
        ) from error


def _start_worker(threads: int, plugins: Sequence[str]) -> None:
    import torch

    _end_with_parent()
    torch.set_num_threads(threads)
    quiet_libraries()
    for plugin in plugins:
        load_plugin(plugin)


def _end_with_parent() -> None:
    """End this process when the run that started it ends, even if the run is killed."""

    def watch() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _compute(
    cell: ResolvedCell, folder: Path, messages: Any, origins: ProbeOrigins, digest: str
) -> None:
    name = cell.name
    _check_code(cell, origins, digest)
    compute_cell(cell, folder / name, lambda stage, share: messages.put((name, stage, share)))


def _probe_origins(cell: ResolvedCell) -> ProbeOrigins:
    """Return the code of each probe of the recipe, as this process knows it."""
    return {probe.display_name: probe_origin(probe.make()) for probe in cell.recipe.probes}


def _check_code(cell: ResolvedCell, origins: ProbeOrigins, digest: str) -> None:
    """Check before fine-tuning that this process has the same code and claims as the run.

    Raises:
        ValueError: if a probe, task, trigger or layer rule is unknown here, or if its code or data
            changed since the run began.
    """
    try:
        worker_origins, worker_digest = _probe_origins(cell), cell.digest()
    except ValueError as error:
        raise ValueError(
            f"{error}; a worker knows what is built in, installed, or in a file or module that is "
            "given as a plug-in"
        ) from error
    for name, origin in origins.items():
        if worker_origins[name] != origin:
            raise ValueError(f"probe {name!r} was changed since the run began: run it again")
    if worker_digest != digest:
        raise ValueError(
            "the code or the data of a task, trigger or layer rule changed since the run began: "
            "run it again"
        )
