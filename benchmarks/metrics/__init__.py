"""AUROC, intervals, estimates, and the rules that choose a layer."""

from benchmarks.metrics.estimates import (
    SUBSETS,
    Estimate,
    accuracy_estimate,
    auroc_estimate,
    recovered_gap,
    recovered_gap_estimate,
    subset_mask,
)
from benchmarks.metrics.intervals import (
    BLANK_INTERVAL,
    ScoredExamples,
    bca_interval,
    delong_interval,
    gap_interval,
    t_interval,
    wilson_interval,
)
from benchmarks.metrics.layer_rules import LAYER_RULES, LayerChoice, LayerRule, register_layer_rule

__all__ = [
    "BLANK_INTERVAL",
    "LAYER_RULES",
    "SUBSETS",
    "Estimate",
    "LayerChoice",
    "LayerRule",
    "ScoredExamples",
    "accuracy_estimate",
    "auroc_estimate",
    "bca_interval",
    "delong_interval",
    "gap_interval",
    "recovered_gap",
    "recovered_gap_estimate",
    "register_layer_rule",
    "subset_mask",
    "t_interval",
    "wilson_interval",
]
