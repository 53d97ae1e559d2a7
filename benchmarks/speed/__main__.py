"""`make speed`: every comparison, on one thread."""

import torch
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from benchmarks.speed import fits, scan
from benchmarks.speed.measure import Comparison

WIDTH = 150
"""Characters that the table takes where it is written to a file."""


def main() -> None:
    """Run the comparisons and print their ratios."""
    torch.set_num_threads(1)
    table = Table("what", "baseline", "ours, s", "baseline, s", "times faster", "limit, s")
    table.add_column("loss, ours")
    table.add_column("loss, baseline")
    logging.set_verbosity_error()
    for module in (scan, fits):
        for found in module.comparisons():
            table.add_row(*shown(found))
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)


def shown(found: Comparison) -> list[str]:
    """Return the cells of a row; the limit with how many times it ours is."""
    limit = ""
    if found.limit_s is not None:
        limit = f"{found.limit_s:.3f} (x{found.ours_s / found.limit_s:.1f})"
    losses = [f"{loss:.8f}" for loss in found.losses] if found.losses else ["", ""]
    seconds = [f"{found.ours_s:.3f}", f"{found.baseline_s:.3f}", f"{found.ratio:.1f}"]
    return [found.what, found.baseline, *seconds, limit, *losses]


if __name__ == "__main__":
    main()
