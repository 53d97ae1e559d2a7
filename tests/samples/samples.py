"""Scores and labels that the tests of the figures draw."""

import numpy as np
from hypothesis import strategies as st
from scipy.stats import norm


def classes(positives: int, negatives: int) -> np.ndarray:
    return np.arange(positives + negatives) < positives


def binormal(rng: np.random.Generator, labels: np.ndarray, area: float) -> np.ndarray:
    """Unit normal scores whose true AUROC is `area`."""
    return rng.normal(size=len(labels)) + labels * norm.ppf(area) * 2**0.5


@st.composite
def tied_scores(draw):
    labels = draw(
        st.lists(st.booleans(), min_size=2, max_size=40).filter(lambda y: 0 < sum(y) < len(y))
    )
    scores = draw(st.lists(st.integers(-3, 3), min_size=len(labels), max_size=len(labels)))
    return np.array(scores, dtype=float), np.array(labels)
