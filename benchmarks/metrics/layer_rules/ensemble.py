"""The mean of all informative layers."""

import numpy as np
from jaxtyping import Float

from benchmarks.metrics.layer_rules.base import LayerChoice, informative_layers, register_layer_rule


@register_layer_rule
def ensemble(auroc: Float[np.ndarray, " layers"]) -> LayerChoice:
    """Average the standardised scores of all layers that reach EIL's bar."""
    return LayerChoice(informative_layers(auroc))
