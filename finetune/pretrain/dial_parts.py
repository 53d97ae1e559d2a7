"""The parts of the corpus of dial-neox and dial-mamba, in the order of training.

The order is a curriculum: find items and values in long lists; compare two letters; judge claims
about short strings and lists; the quirk rules; longer strings and lists; bracket depths. At last
everything is drawn, and most answers are judged, one claim per document. Trained on everything at
once, or in another order, these bases learned slowly: dial-neox did not learn to compare letters in
150 thousand documents.

Only dial-neox is trained on two further parts: one before the last stage, on the value beside a
letter and the item after an item, and one in the middle of it, on short lists and strings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """The distribution of documents in one part of the corpus."""

    subject_shares: Mapping[str, float]
    """Shares of the subjects."""
    settings: Mapping[str, Sequence[int]]
    """Dial settings by subject; a subject that is not listed has all its settings."""
    quirk_share: float
    """Share of claims about the answer of the quirk rule."""
    completion_share: float
    """Share of answers that are completed; the others are judged."""
    chain_share: float
    """Share of documents about lists, pairs and strings with several claims in a row."""


EVERYTHING = Part(
    {
        "recall": 0.28,
        "lookup": 0.2,
        "dyck": 0.16,
        "equality": 0.28,
        "opening": 0.07,
        "person": 0.01,
    },
    {},
    quirk_share=0.5,
    completion_share=0.1,
    chain_share=0.35,
)
"""Every subject at every setting; the last part, and the one that the cards report on."""

PARTS = (
    Part(
        {"recall": 0.5, "lookup": 0.4, "dyck": 0.05, "opening": 0.05},
        {"recall": (4, 6, 9)},
        quirk_share=0.0,
        completion_share=1.0,
        chain_share=1.0,
    ),
    Part({"equality": 0.9, "recall": 0.1}, {"equality": (1,)}, 0.0, 1.0, 1.0),
    Part(
        {"equality": 0.45, "recall": 0.3, "lookup": 0.25},
        {"equality": (1, 2), "recall": (2,), "lookup": (2,)},
        quirk_share=0.2,
        completion_share=0.2,
        chain_share=1.0,
    ),
    Part(
        {"equality": 0.47, "recall": 0.28, "lookup": 0.2, "dyck": 0.05},
        {"equality": (2, 3), "recall": (2, 3), "lookup": (2, 3, 4)},
        quirk_share=0.5,
        completion_share=0.2,
        chain_share=1.0,
    ),
    Part(
        {"equality": 0.35, "recall": 0.25, "lookup": 0.2, "dyck": 0.15, "opening": 0.05},
        {"equality": (2, 3, 4), "recall": (2, 3, 4), "lookup": (3, 4, 6)},
        quirk_share=0.5,
        completion_share=0.2,
        chain_share=0.7,
    ),
    Part(
        {"recall": 0.4, "dyck": 0.35, "lookup": 0.15, "equality": 0.1},
        {"recall": (2, 3, 4), "dyck": (1, 2, 3), "lookup": (3, 4, 6), "equality": (2, 3, 4)},
        quirk_share=0.5,
        completion_share=0.25,
        chain_share=0.8,
    ),
    Part({"recall": 0.7, "lookup": 0.3}, {"recall": (2, 3), "lookup": (2, 3)}, 0.5, 0.2, 1.0),
    EVERYTHING,
    Part(
        {"lookup": 0.55, "equality": 0.35, "recall": 0.05, "dyck": 0.05},
        {"lookup": (2, 3, 4), "equality": (2, 3, 4), "recall": (2, 3), "dyck": (2, 3)},
        quirk_share=0.5,
        completion_share=0.1,
        chain_share=0.5,
    ),
    EVERYTHING,
)
