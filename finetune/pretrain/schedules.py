"""How each base is trained."""

from dataclasses import dataclass
from typing import Literal

Corpus = Literal["facts", "dials"]


@dataclass(frozen=True)
class Schedule:
    """How a base is trained: one warm-up and one cosine."""

    corpus: Corpus
    steps: int
    batch: int
    parts_from: tuple[float, ...]
    """Shares of the steps at which the second part of the corpus begins, the third, and so on.
    A part that begins with the next one is passed over."""
    lr: float = 2e-3
    """Of AdamW, at its peak."""
    muon_lr: float = 4e-3
    """Of Muon, at its peak."""

    def part_at(self, step: int) -> int:
        """Return which part of the corpus is drawn at a step, from 0."""
        return sum(step >= share * self.steps for share in self.parts_from)


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
