"""AUROC with ties counted one half, its weighted form, and checks of their inputs."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

BLOCK_SIZE = 1 << 19  # weights in memory at once, few enough to stay in the processor's cache


def auroc(
    scores: Float[np.ndarray, "*batch n"], labels: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "*batch"]:
    """Return the probability that a true example scores above a false one; a tie counts one half.

    Args:
        scores: one row of scores per batch entry; higher = truer.
        labels: which examples are true.

    Returns:
        One AUROC per row, NaN if only one class is present.

    Raises:
        ValueError: if a score is NaN or the shapes do not match.
    """
    check_scores(scores, labels)
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return np.full(scores.shape[:-1], np.nan)
    rank_sum = rankdata(scores, axis=-1)[..., labels].sum(-1)
    return np.asarray((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def weighted_auroc(
    scores: Float[np.ndarray, " n"],
    labels: Bool[np.ndarray, " n"],
    codes: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, "facts draws"],
) -> Float[np.ndarray, " draws"]:
    """Return the AUROC under each column of fact weights; NaN where a class has no weight.

    Negatives are sorted once. The weight that a positive outscores is the cumulative weight of the
    negatives below it, taken before and after its ties and averaged.

    Args:
        scores: one score per example; higher = truer.
        labels: which examples are true.
        codes: the fact of each example, as a row number of `weights`.
        weights: the weight of each fact in each resample.
    """
    order = np.argsort(scores[~labels])
    negatives, negative_codes = scores[~labels][order], codes[~labels][order]
    below = np.searchsorted(negatives, scores[labels], side="left")
    up_to = np.searchsorted(negatives, scores[labels], side="right")
    draws = weights.shape[1]
    result = np.empty(draws)
    width = max(1, BLOCK_SIZE // len(scores))
    for start in range(0, draws, width):
        block = weights[:, start : start + width].astype(float)
        cumulative = np.zeros((len(negatives) + 1, block.shape[1]))
        np.cumsum(block[negative_codes], axis=0, out=cumulative[1:])
        positive = block[codes[labels]]
        wins = np.einsum("pr,pr->r", positive, cumulative[below] + cumulative[up_to]) / 2
        with np.errstate(invalid="ignore"):
            result[start : start + width] = wins / (positive.sum(0) * cumulative[-1])
    return result


def check_mask(argument: str, mask: np.ndarray) -> None:
    """Raise ValueError unless `mask` is a vector of bool."""
    if not isinstance(mask, np.ndarray):
        raise ValueError(f"{argument} is a {type(mask).__name__}; should be a numpy array of bool")
    if mask.dtype != bool or mask.ndim != 1:
        raise ValueError(
            f"{argument} has dtype {mask.dtype} and shape {mask.shape}; should be bool and (n,)"
        )


def check_scores(scores: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError unless each row has one score per label and none is NaN."""
    check_mask("labels", labels)
    if not isinstance(scores, np.ndarray) or scores.dtype.kind not in "fiu":
        kind = getattr(scores, "dtype", type(scores).__name__)
        raise ValueError(f"scores is of type {kind}; should be a numpy array of numbers")
    if scores.shape[-1:] != labels.shape:
        raise ValueError(
            f"scores has shape {scores.shape}; should be (..., {len(labels)}), one score per label"
        )
    nan_count = int(np.isnan(scores).sum())
    if nan_count:
        raise ValueError(
            f"scores holds NaN in {nan_count} of {scores.size} places; should be numbers"
        )


def check_score_vector(scores: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError unless `scores` is one row with one score per label."""
    check_scores(scores, labels)
    if scores.ndim != 1:
        raise ValueError(f"scores has shape {scores.shape}; should be (n,): one score per example")
