"""Layer rules: from scores by layer to one score an example, without a look at the target."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

INFORMATIVE = 0.95
"""The share of the best layer's AUROC - .5 that an informative layer reaches."""


@dataclass(frozen=True)
class Choice:
    """What a rule chose: one of the layers that were read, or several to be averaged."""

    layers: tuple[int, ...]
    """Places in the scores by layer, from 0."""

    def apply(
        self, scores: Float[np.ndarray, "layers n"], source: Float[np.ndarray, "layers m"]
    ) -> Float[np.ndarray, " n"]:
        """Return the chosen layer's scores, or the mean of several layers' standardised scores.

        Standardisation uses `source`, scores on held-out examples of the source context.
        """
        if len(self.layers) == 1:
            return scores[self.layers[0]]
        rows = list(self.layers)
        spread = source[rows].std(axis=1, keepdims=True)
        centred = scores[rows] - source[rows].mean(axis=1, keepdims=True)
        return (centred / np.where(spread > 0, spread, 1)).mean(axis=0)


Rule = Callable[[Float[np.ndarray, " layers"]], Choice]


def _admitted(auroc: Float[np.ndarray, " layers"]) -> tuple[int, ...]:
    gain = auroc - 0.5
    if not np.nanmax(gain) > 0:
        return (len(auroc) // 2,)
    return tuple(int(i) for i in np.flatnonzero(gain >= INFORMATIVE * np.nanmax(gain)))


def eil(auroc: Float[np.ndarray, " layers"]) -> Choice:
    """Choose the earliest informative layer (arXiv 2312.01037, section 4): the first that is
    95 % as informative as the best; the middle layer if none is above chance.
    """
    return Choice(_admitted(auroc)[:1])


def last(auroc: Float[np.ndarray, " layers"]) -> Choice:
    """Choose the last layer."""
    return Choice((len(auroc) - 1,))


def middle(auroc: Float[np.ndarray, " layers"]) -> Choice:
    """Choose the middle layer."""
    return Choice((len(auroc) // 2,))


def ensemble(auroc: Float[np.ndarray, " layers"]) -> Choice:
    """Average all layers that EIL's bar admits."""
    return Choice(_admitted(auroc))


LAYER_RULES: dict[str, Rule] = {"eil": eil, "last": last, "middle": middle, "ensemble": ensemble}
