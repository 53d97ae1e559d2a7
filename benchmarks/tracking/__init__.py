"""Logs runs to Weights & Biases."""

from benchmarks.tracking.weights_and_biases import log_run

__all__ = ["log_run"]
