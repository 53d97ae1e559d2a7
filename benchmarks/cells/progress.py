"""What a person sees while cells are computed."""

import queue
import warnings
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(stderr=True)


def quiet_libraries() -> None:
    """Turn off progress bars and warnings of transformers that do not concern the user."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # peft's call


def progress_bars() -> Progress:
    """Return one bar per cell, with its stage and the elapsed time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[stage]}"),
        TimeElapsedColumn(),
        console=console,
    )


def follow(futures: Mapping[Future[None], str], messages: Any, bars: Progress) -> None:
    """Show every cell's stage until all have ended; without a terminal, one line per ended cell.

    Args:
        futures: the name of the cell that each future computes.
        messages: queue of (cell name, stage, share done) from the workers.
        bars: shows them.
    """
    bar_ids = {}
    pending = set(futures)
    while pending:
        ended, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while True:
            try:
                name, stage, share = messages.get_nowait()
            except queue.Empty:
                break
            if name not in bar_ids:
                bar_ids[name] = bars.add_task(name, total=1.0, stage=stage)
            bars.update(bar_ids[name], completed=share, stage=stage)
        for future in ended:
            if not console.is_terminal:
                outcome = "failed" if future.exception() else "done"
                bars.console.print(f"{futures[future]}: {outcome}", highlight=False)
