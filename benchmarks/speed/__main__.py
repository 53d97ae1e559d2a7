"""`make speed`: every comparison, on one thread."""

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.speed import fits, scan


def main() -> None:
    """Run the comparisons and print their ratios."""
    torch.set_num_threads(1)
    table = Table("what", "baseline", "ours, s", "baseline, s", "times faster")
    for module in (scan, fits):
        for found in module.comparisons():
            seconds = (f"{found.ours_s:.4f}", f"{found.baseline_s:.4f}")
            table.add_row(found.what, found.baseline, *seconds, f"{found.ratio:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
