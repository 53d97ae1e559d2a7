"""Rules that choose a layer without labels of the target context, one file each."""

from benchmarks.metrics.layer_rules.base import (
    LAYER_RULES,
    LayerChoice,
    LayerRule,
    informative_layers,
    register_layer_rule,
)

__all__ = [
    "LAYER_RULES",
    "LayerChoice",
    "LayerRule",
    "informative_layers",
    "register_layer_rule",
]
