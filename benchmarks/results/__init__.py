"""The folder of a run: tables, manifest, records, and the summary that reports read."""

from benchmarks.results.manifest import collect_results
from benchmarks.results.records import CellRecord, Group, LayerEstimate
from benchmarks.results.run_folder import CellFolder, Run
from benchmarks.results.summary import Summary
from benchmarks.results.table import COLUMNS, read_results

__all__ = [
    "COLUMNS",
    "CellFolder",
    "CellRecord",
    "Group",
    "LayerEstimate",
    "Run",
    "Summary",
    "collect_results",
    "read_results",
]
