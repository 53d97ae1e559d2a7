"""The threshold that separates a model's true answers from its false ones best."""

import numpy as np
from jaxtyping import Bool, Float

from benchmarks.metrics.auroc import check_score_vector


def best_threshold(scores: Float[np.ndarray, " n"], labels: Bool[np.ndarray, " n"]) -> float:
    """Return the threshold with the best balanced accuracy; NaN if only one class is present.

    Balanced accuracy is the mean of two shares: of true examples above the threshold, and of false
    ones below it. If no threshold is better than 0, at which log-odds change sign, it is 0. Else it
    lies in the middle between two neighbouring scores (at the score, if all are equal); of several
    that are equally good, the one with the widest gap is taken, and of these the lowest.

    Args:
        scores: one score per example; higher = truer.
        labels: which examples are true.

    Raises:
        ValueError: if the scores are not finite, or the shapes differ.
    """
    check_score_vector(scores, labels)
    n_true, n_false = int(labels.sum()), int((~labels).sum())
    if not (n_true and n_false):
        return float("nan")
    levels, level_of = np.unique(scores, return_inverse=True)
    if len(levels) == 1:
        return float(levels[0])
    true_at = np.bincount(level_of, labels, minlength=len(levels))
    false_at = np.bincount(level_of, ~labels, minlength=len(levels))
    true_above = n_true - true_at.cumsum()[:-1]
    false_below = false_at.cumsum()[:-1]
    # Whole numbers, so that equally good thresholds are equal.
    quality = np.rint(true_above) * n_false + np.rint(false_below) * n_true
    at_zero = int((scores[labels] > 0).sum()) * n_false + int((scores[~labels] <= 0).sum()) * n_true
    if at_zero >= quality.max():
        return 0.0
    gaps = np.where(quality == quality.max(), np.diff(levels), -1.0)
    best = int(gaps.argmax())
    return float(levels[best] / 2 + levels[best + 1] / 2)
