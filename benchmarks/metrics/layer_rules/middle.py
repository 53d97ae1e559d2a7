"""The middle layer."""

import numpy as np
from jaxtyping import Float

from benchmarks.metrics.layer_rules.base import LayerChoice, register_layer_rule


@register_layer_rule
def middle(auroc: Float[np.ndarray, " layers"]) -> LayerChoice:
    """Choose the middle layer."""
    return LayerChoice((len(auroc) // 2,))
