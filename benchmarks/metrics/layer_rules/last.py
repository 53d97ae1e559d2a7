"""The last layer."""

import numpy as np
from jaxtyping import Float

from benchmarks.metrics.layer_rules.base import LayerChoice, register_layer_rule


@register_layer_rule
def last(auroc: Float[np.ndarray, " layers"]) -> LayerChoice:
    """Choose the last layer."""
    return LayerChoice((len(auroc) - 1,))
