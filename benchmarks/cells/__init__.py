"""A cell of a run: what it is, how it is computed, and the workers that compute it."""

from benchmarks.cells.artefacts import (
    TRAIN_THREADS,
    Progress,
    ensure_activations,
    ensure_adapter,
    ensure_quirk_adapter,
    example_log_odds,
    finetune_cell,
    load_cell_model,
)
from benchmarks.cells.card import card_facts, gate_summary
from benchmarks.cells.cell import Cell, ResolvedCell, list_cells, resolve_cell
from benchmarks.cells.compute import compute_cell, is_done
from benchmarks.cells.progress import console, quiet_libraries
from benchmarks.cells.workers import compute_cells

__all__ = [
    "TRAIN_THREADS",
    "Cell",
    "Progress",
    "ResolvedCell",
    "card_facts",
    "compute_cell",
    "compute_cells",
    "console",
    "ensure_activations",
    "ensure_adapter",
    "ensure_quirk_adapter",
    "example_log_odds",
    "finetune_cell",
    "gate_summary",
    "is_done",
    "list_cells",
    "load_cell_model",
    "quiet_libraries",
    "resolve_cell",
]
