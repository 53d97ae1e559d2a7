"""All activations of one cell."""

from dataclasses import dataclass

from benchmarks.activations.base import ActivationView
from benchmarks.activations.recurrent import RecurrentActivations
from benchmarks.activations.residual import ResidualActivations
from benchmarks.activations.tokens import TokenActivations


@dataclass(frozen=True)
class CellActivations:
    """What was read from a cell's model; tokens and recurrent states only if a probe needs them."""

    residual: ResidualActivations
    tokens: TokenActivations | None = None
    recurrent: RecurrentActivations | None = None

    def views(self) -> list[ActivationView]:
        """Return everything that a probe can be fitted on, in the order of fitting."""
        views: list[ActivationView] = [self.residual.view("pair"), self.residual.view("prompt")]
        if self.tokens:
            views += [self.tokens.view(layer) for layer in self.tokens.layers]
        if self.recurrent:
            views += [self.recurrent.view(site) for site in self.recurrent.layers]
        return views
