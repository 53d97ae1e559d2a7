"""`make speed`: run every comparison on one thread."""

import torch
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from benchmarks.speed import fits, scan
from benchmarks.speed.measure import Comparison

WIDTH = 150
"""Characters per line of the table when it is written to a file."""


def main() -> None:
    """Run the comparisons and print a table of times and losses."""
    torch.set_num_threads(1)
    table = Table("what", "baseline", "ours, s", "baseline, s", "times faster", "limit, s")
    table.add_column("loss, ours")
    table.add_column("loss, baseline")
    logging.set_verbosity_error()
    for module in (scan, fits):
        for comparison in module.comparisons():
            table.add_row(*table_row(comparison))
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)


def table_row(comparison: Comparison) -> list[str]:
    """Return the columns of a row; the limit is followed by our time as a multiple of it."""
    ours_s, limit_s = comparison.ours_s, comparison.limit_s
    limit = "" if limit_s is None else f"{limit_s:.3f} (x{ours_s / limit_s:.1f})"
    losses = [f"{loss:.8f}" for loss in comparison.losses] if comparison.losses else ["", ""]
    seconds = [f"{ours_s:.3f}", f"{comparison.baseline_s:.3f}", f"{comparison.speedup:.1f}"]
    return [comparison.what, comparison.baseline, *seconds, limit, *losses]


if __name__ == "__main__":
    main()
