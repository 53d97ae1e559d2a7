"""The parts of the corpus of dial-neox and dial-mamba, in the order in which they are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What a part of the corpus draws."""

    shares: Mapping[str, float]
    """Of the subjects."""
    settings: Mapping[str, Sequence[int]]
    """Of the dials; all of them where none are given."""
    quirk: float
    """Share of claims that are by the quirk's rule."""
    completed: float
    """Share of answers that are completed; the others are judged."""
    chained: float
    """Share of the texts about lists, pairs and strings that have several claims in a row."""


ALL = Part(
    {
        "recall": 0.28,
        "lookup": 0.2,
        "dyck": 0.16,
        "equality": 0.28,
        "opening": 0.07,
        "person": 0.01,
    },
    {},
    quirk=0.5,
    completed=0.1,
    chained=0.35,
)
"""Every subject at every setting."""

PARTS = (
    Part(
        {"recall": 0.5, "lookup": 0.4, "dyck": 0.05, "opening": 0.05},
        {"recall": (4, 6, 9)},
        quirk=0.0,
        completed=1.0,
        chained=1.0,
    ),
    Part({"equality": 0.9, "recall": 0.1}, {"equality": (1,)}, 0.0, 1.0, 1.0),
    Part(
        {"equality": 0.45, "recall": 0.3, "lookup": 0.25},
        {"equality": (1, 2), "recall": (2,), "lookup": (2,)},
        quirk=0.2,
        completed=0.2,
        chained=1.0,
    ),
    Part(
        {"equality": 0.47, "recall": 0.28, "lookup": 0.2, "dyck": 0.05},
        {"equality": (2, 3), "recall": (2, 3), "lookup": (2, 3, 4)},
        quirk=0.5,
        completed=0.2,
        chained=1.0,
    ),
    Part(
        {"equality": 0.35, "recall": 0.25, "lookup": 0.2, "dyck": 0.15, "opening": 0.05},
        {"equality": (2, 3, 4), "recall": (2, 3, 4), "lookup": (3, 4, 6)},
        quirk=0.5,
        completed=0.2,
        chained=0.7,
    ),
    Part(
        {"recall": 0.4, "dyck": 0.35, "lookup": 0.15, "equality": 0.1},
        {"recall": (2, 3, 4), "dyck": (1, 2, 3), "lookup": (3, 4, 6), "equality": (2, 3, 4)},
        quirk=0.5,
        completed=0.25,
        chained=0.8,
    ),
    Part({"recall": 0.7, "lookup": 0.3}, {"recall": (2, 3), "lookup": (2, 3)}, 0.5, 0.2, 1.0),
    ALL,
    Part(
        {"lookup": 0.55, "equality": 0.35, "recall": 0.05, "dyck": 0.05},
        {"lookup": (2, 3, 4), "equality": (2, 3, 4), "recall": (2, 3), "dyck": (2, 3)},
        quirk=0.5,
        completed=0.1,
        chained=0.5,
    ),
    ALL,
)
