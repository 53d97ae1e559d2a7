"""What a layer rule is, and the registry of rules."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from quirky.plugins import Registry

INFORMATIVE_SHARE = 0.95
"""A layer is informative if its AUROC - .5 reaches this share of the best layer's."""


@dataclass(frozen=True)
class LayerChoice:
    """The layers that a rule chose: one, or several whose scores are averaged.

    Attributes:
        layers: indices into the scores by layer, from 0.
    """

    layers: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.layers or min(self.layers) < 0:
            raise ValueError(f"layers = {self.layers}; a rule chooses one layer or more, from 0")

    def apply(
        self, scores: Float[np.ndarray, "layers n"], source: Float[np.ndarray, "layers m"]
    ) -> Float[np.ndarray, " n"]:
        """Return the chosen layer's scores, or the mean of several layers' standardised scores.

        Args:
            scores: the scores to reduce to one an example.
            source: scores on held-out examples of the source context, whose mean and standard
                deviation standardise each layer.
        """
        if len(self.layers) == 1:
            return scores[self.layers[0]]
        rows = list(self.layers)
        spread = source[rows].std(axis=1, keepdims=True)
        centred = scores[rows] - source[rows].mean(axis=1, keepdims=True)
        return (centred / np.where(spread > 0, spread, 1)).mean(axis=0)


LayerRule = Callable[[Float[np.ndarray, " layers"]], LayerChoice]
"""Takes the AUROC of each layer against `label` on held-out examples of the source context."""

AnyRule = TypeVar("AnyRule", bound=LayerRule)


RESERVED_NAMES = ("each", "none", "oracle")
"""Values of the column `layer_rule` that are not rules."""


def _check_rule(name: str, rule: Any) -> None:
    if not inspect.isfunction(rule):
        raise ValueError(f"layer rule {name!r} is {rule!r}; give a function of AUROCs by layer")
    if not name.replace("-", "_").isidentifier():
        raise ValueError(f"layer rule {name!r} has no name; define it with `def`")
    if name in RESERVED_NAMES:
        raise ValueError(f"layer rule {name!r}: results use this name already; rename it")


LAYER_RULES: Registry[LayerRule] = Registry(
    "layer rule", "quirky.layer_rules", "benchmarks.metrics.layer_rules", _check_rule
)


def register_layer_rule(rule: AnyRule) -> AnyRule:
    """Make a layer rule known by the name of its function; usable as a decorator.

    Raises:
        ValueError: if the name is taken.
    """
    return LAYER_RULES.register(getattr(rule, "__name__", repr(rule)), rule)


def informative_layers(auroc: Float[np.ndarray, " layers"]) -> tuple[int, ...]:
    """Return the layers that are nearly as informative as the best; else the middle layer.

    A layer counts if its AUROC - .5 reaches 95 % of the best layer's. If no layer exceeds .5, the
    middle layer is chosen (arXiv 2312.01037, section 4).
    """
    gain = auroc - 0.5
    if not np.nanmax(gain) > 0:
        return (len(auroc) // 2,)
    return tuple(int(i) for i in np.flatnonzero(gain >= INFORMATIVE_SHARE * np.nanmax(gain)))
