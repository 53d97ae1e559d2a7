"""The earliest informative layer."""

import numpy as np
from jaxtyping import Float

from benchmarks.metrics.layer_rules.base import LayerChoice, informative_layers, register_layer_rule


@register_layer_rule
def eil(auroc: Float[np.ndarray, " layers"]) -> LayerChoice:
    """Choose the earliest informative layer (EIL; arXiv 2312.01037, section 4).

    It is the first layer whose AUROC - .5 reaches 95 % of the best layer's; the middle layer if no
    layer exceeds .5.
    """
    return LayerChoice(informative_layers(auroc)[:1])
