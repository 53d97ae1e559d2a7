"""Which fits a cell needs: every probe on every source context, under every control."""

from collections.abc import Collection
from dataclasses import dataclass

from benchmarks.recipe.entries import ProbeEntry
from benchmarks.recipe.schema import Recipe
from probes import Probe
from quirky.contexts import TARGETS, UNSEEN, Transfer

SHUFFLES = 5
"""How many random orders of the labels the control `shuffled` is fitted on. A single order may by
chance fall along a strong direction of the states and separate the truth well, or reverse it."""


@dataclass(frozen=True)
class Fit:
    """One fit of one probe.

    Attributes:
        probe: the method and its hyper-parameters.
        source: the context that it is fitted on.
        control: empty, or `shuffled`.
        draw: number of the random direction or of the random order of labels, else 0.
        seed: of the cell.
    """

    probe: ProbeEntry
    source: str
    control: str
    draw: int
    seed: int

    def make_probe(self) -> Probe:
        """Return the unfitted probe."""
        return self.probe.make(seed=self.seed * 1000 + self.draw)


def measured_transfers(recipe: Recipe, contexts: Collection[str] = TARGETS) -> list[Transfer]:
    """Return the recipe's transfers whose target is among the contexts of a cell's examples.

    Only B2 and T can be missing: they depend on the trigger.
    """
    return [
        transfer
        for transfer in recipe.parsed_transfers()
        if transfer.target not in UNSEEN or transfer.target in contexts
    ]


def fit_sources(recipe: Recipe, contexts: Collection[str] = TARGETS) -> list[str]:
    """Return the source contexts of the transfers that are measured there, each once."""
    return list(dict.fromkeys(t.source for t in measured_transfers(recipe, contexts)))


def list_fits(recipe: Recipe, seed: int, contexts: Collection[str] = TARGETS) -> list[Fit]:
    """Return every fit of a cell whose examples are in these contexts.

    Labels are shuffled only for probes with supervision `labels`. For any other probe, labels set a
    sign at most, and a fit on shuffled labels would find the same axis.
    """
    fits = []
    for probe in recipe.probes:
        supervised = probe.probe_class.supervision == "labels"
        for source in fit_sources(recipe, contexts):
            draws = recipe.draws if probe.name == "random" else 1
            fits += [Fit(probe, source, "", draw, seed) for draw in range(draws)]
            if supervised:
                fits += [
                    Fit(probe, source, control, draw, seed)
                    for control in recipe.controls
                    for draw in range(SHUFFLES)
                ]
    return fits
