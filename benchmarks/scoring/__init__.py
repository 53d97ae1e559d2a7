"""Fitting and scoring probes, controls, the gate, and figures computed from scores."""

from benchmarks.scoring.controls import shuffle_labels, text_scores
from benchmarks.scoring.figures import compute_figures
from benchmarks.scoring.fits import SHUFFLES, Fit, fit_sources, list_fits, measured_transfers
from benchmarks.scoring.gate import (
    GATE_SPLIT,
    REQUIRED,
    THRESHOLD,
    Gate,
    GateFigure,
    check_gate_data,
    evaluate_gate,
    failures,
    required_figures,
)
from benchmarks.scoring.scores import ScoreGroup, group_scores, score_cell

__all__ = [
    "GATE_SPLIT",
    "REQUIRED",
    "SHUFFLES",
    "THRESHOLD",
    "Fit",
    "Gate",
    "GateFigure",
    "ScoreGroup",
    "check_gate_data",
    "compute_figures",
    "evaluate_gate",
    "failures",
    "fit_sources",
    "group_scores",
    "list_fits",
    "measured_transfers",
    "required_figures",
    "score_cell",
    "shuffle_labels",
    "text_scores",
]
