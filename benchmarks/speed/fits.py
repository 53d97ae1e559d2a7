"""`lr` on all layers at once against a loop of scikit-learn's over the layers, to one optimum."""

from collections.abc import Iterator

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.speed.measure import Comparison, compare
from probes import get_probe

L2 = 1e-3


def comparisons() -> Iterator[Comparison]:
    """Yield the fit of 8 layers of 1,600 x 128 states, labels from a noisy linear teacher."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(8, 1600, 128, generator=generator)
    teacher = torch.randn(128, generator=generator) / 128**0.5
    noise = torch.randn(1600, generator=generator)
    labels = states.mean(0) @ teacher * 8**0.5 + noise > 0

    def ours() -> None:
        get_probe("lr", l2=L2).fit(states, labels)

    def theirs() -> None:
        for layer in states.numpy():
            scaled = StandardScaler().fit_transform(layer)
            penalty = 1 / (L2 * len(scaled))
            LogisticRegression(C=penalty, tol=1e-6, max_iter=1000).fit(scaled, labels.numpy())

    yield compare("lr, 8 layers", "scikit-learn's LogisticRegression by layer", ours, theirs)
