"""Stored activations of a cell: residual stream, tokens, recurrent states."""

from benchmarks.activations.base import ActivationView, Reads
from benchmarks.activations.cell import CellActivations
from benchmarks.activations.recurrent import RecurrentActivations, extract_recurrent
from benchmarks.activations.residual import ResidualActivations, bytes_per_state, extract_residual
from benchmarks.activations.tokens import (
    TokenActivations,
    check_budget,
    extract_tokens,
    token_layers,
)

__all__ = [
    "ActivationView",
    "CellActivations",
    "Reads",
    "RecurrentActivations",
    "ResidualActivations",
    "TokenActivations",
    "bytes_per_state",
    "check_budget",
    "extract_recurrent",
    "extract_residual",
    "extract_tokens",
    "token_layers",
]
