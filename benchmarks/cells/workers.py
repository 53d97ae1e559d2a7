"""Where cells run: worker processes on this machine, each with its share of the cores."""

import multiprocessing
import os
import queue
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.cells.cell import Cell
from benchmarks.cells.compute import run_cell
from benchmarks.store.provenance import probe_origin

console = Console(stderr=True)

Origins = dict[str, dict[str, str]]
"""By the name of a probe, which code it is."""


def default_workers(cells: int, device: str = "cpu") -> int:
    """Return how many cells to run at once: one a core, or one at a time on an accelerator."""
    return 1 if device != "cpu" else max(1, min(cells, os.cpu_count() or 1))


def run_cells(
    cells: Sequence[Cell],
    folder: Path,
    workers: int | None = None,
    plugins: Sequence[str] = (),
) -> None:
    """Compute the cells into `folder/<cell>`, showing what each worker is at.

    Every worker imports the plug-ins before its first cell. A cell that fails does not stop the
    others; once all have ended, the first failure is raised.

    Raises:
        RuntimeError: naming the cells that failed, from the first failure.
    """
    if not cells:
        return
    workers = workers or default_workers(len(cells), cells[0].recipe.device)
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = str(threads)  # the workers inherit it before they import anything
    manager = SyncManager(ctx=context)
    manager.start(_end_with_parent)
    with manager, _bars() as bars:
        news = manager.Queue()
        with ProcessPoolExecutor(workers, context, _start_worker, (threads, plugins)) as pool:
            futures = {pool.submit(_work, c, folder, news, _origins(c)): c for c in cells}
            _follow(futures, news, bars)
    failed = [(cell.name, future.exception()) for future, cell in futures.items()]
    failed = [(name, error) for name, error in failed if error]
    if failed:
        names = ", ".join(name for name, _ in failed)
        name, error = failed[0]
        raise RuntimeError(
            f"{len(failed)} of {len(cells)} cells failed ({names}); {name}: {error}"
        ) from error


def hush_libraries() -> None:
    """Keep transformers' bars and warnings about its own callers out of what a person reads."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # peft's call


def _start_worker(threads: int, plugins: Sequence[str]) -> None:
    import torch

    from quirky.plugins import load_plugin

    _end_with_parent()
    torch.set_num_threads(threads)
    hush_libraries()
    for plugin in plugins:
        load_plugin(plugin)


def _end_with_parent() -> None:
    """End this process once the run that started it is gone: no killed run goes on unseen."""

    def watch() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(cell: Cell, folder: Path, news: Any, origins: Origins) -> None:
    _require_probes(cell, origins)
    run_cell(cell, folder / cell.name, lambda stage, done: news.put((cell.name, stage, done)))


def _origins(cell: Cell) -> Origins:
    """Return which code each probe of the recipe is, in this process."""
    return {probe.shown: probe_origin(probe.make()) for probe in cell.recipe.probes}


def _require_probes(cell: Cell, origins: Origins) -> None:
    """Find out before the model is tuned whether this process knows the recipe's probes.

    Raises:
        ValueError: naming one that it does not know, and how it would; or one whose code changed.
    """
    try:
        ours = _origins(cell)
    except ValueError as error:
        raise ValueError(
            f"{error}; a worker knows what is built in, installed, or in a file or module that "
            "is given as a plug-in"
        ) from error
    for name, origin in origins.items():
        if ours[name] != origin:
            raise ValueError(f"probe {name!r} was changed since the run began: run it again")


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[stage]}"),
        TimeElapsedColumn(),
        console=console,
    )


def _follow(futures: dict[Future[None], Cell], news: Any, bars: Progress) -> None:
    """Show every cell's stage until all have ended; without a terminal, a line a finished cell."""
    shown = {}
    pending = set(futures)
    while pending:
        ended, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while True:
            try:
                name, stage, done = news.get_nowait()
            except queue.Empty:
                break
            if name not in shown:
                shown[name] = bars.add_task(name, total=1.0, stage=stage)
            bars.update(shown[name], completed=done, stage=stage)
        for future in ended:
            name = futures[future].name
            if not console.is_terminal:
                outcome = "failed" if future.exception() else "done"
                bars.console.print(f"{name}: {outcome}", highlight=False)
