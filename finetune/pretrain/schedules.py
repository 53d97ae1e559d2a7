"""Training schedules of the embedded bases."""

from dataclasses import dataclass
from typing import Literal

Corpus = Literal["facts", "dials"]


@dataclass(frozen=True)
class Schedule:
    """How a base is trained. The fields are written to the base's `pretraining.json`."""

    corpus: Corpus
    steps: int
    """Optimiser steps."""
    batch: int
    """Documents per step."""
    parts_from: tuple[float, ...]
    """Fractions of the steps at which the second part of the corpus starts, the third, and so on.
    A part that starts at the same fraction as the next one is skipped."""
    lr: float = 2e-3
    """Peak learning rate of AdamW."""
    muon_lr: float = 4e-3
    """Peak learning rate of Muon."""

    def part_at(self, step: int) -> int:
        """Return the part of the corpus that is drawn at a step, from 0."""
        return sum(step >= fraction * self.steps for fraction in self.parts_from)


SCHEDULES = {
    "tiny-neox": Schedule("facts", steps=6000, batch=192, parts_from=(0.55,)),
    "tiny-mamba": Schedule("facts", steps=4600, batch=128, parts_from=(0.55,)),
    "dial-neox": Schedule(
        "dials",
        steps=7500,
        batch=48,
        parts_from=(0.1232, 0.1496, 0.2112, 0.2728, 0.3274, 0.4401, 0.536, 0.72, 0.88),
    ),
    "dial-mamba": Schedule(
        "dials",
        steps=5280,
        batch=48,
        parts_from=(0.175, 0.2125, 0.3, 0.3875, 0.465, 0.68, 0.68, 0.68, 0.68),
    ),
}
