"""AUROC, with ties counted one half, under weights if need be; and checks of what it is given."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

BLOCK = 1 << 19  # weights held at once by the bootstrap, so that they stay in the cache


def auroc(
    scores: Float[np.ndarray, "*batch n"], labels: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "*batch"]:
    """Probability that a true example scores above a false one; a tie counts one half.

    NaN if only one class is present. Raises ValueError if a score is NaN or shapes do not match.
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
    """AUROC under each column of fact weights; NaN where a class has no weight.

    Negatives are sorted once. The weight that a positive outscores is then the running sum of
    theirs up to its place, taken before and after its ties and averaged.
    """
    order = np.argsort(scores[~labels])
    negatives, negative_codes = scores[~labels][order], codes[~labels][order]
    before = np.searchsorted(negatives, scores[labels], side="left")
    after = np.searchsorted(negatives, scores[labels], side="right")
    draws = weights.shape[1]
    result = np.empty(draws)
    width = max(1, BLOCK // len(scores))
    for start in range(0, draws, width):
        block = weights[:, start : start + width].astype(float)
        running = np.zeros((len(negatives) + 1, block.shape[1]))
        np.cumsum(block[negative_codes], axis=0, out=running[1:])
        positive = block[codes[labels]]
        wins = np.einsum("pr,pr->r", positive, running[before] + running[after]) / 2
        with np.errstate(invalid="ignore"):
            result[start : start + width] = wins / (positive.sum(0) * running[-1])
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
    """Raise ValueError unless every label has its score, in each row."""
    check_mask("labels", labels)
    if not isinstance(scores, np.ndarray) or scores.dtype.kind not in "fiu":
        kind = getattr(scores, "dtype", type(scores).__name__)
        raise ValueError(f"scores is of type {kind}; should be a numpy array of numbers")
    if scores.shape[-1:] != labels.shape:
        raise ValueError(
            f"scores has shape {scores.shape}; should be (..., {len(labels)}), one score per label"
        )
    missing = int(np.isnan(scores).sum())
    if missing:
        raise ValueError(
            f"scores holds NaN in {missing} of {scores.size} places; should be numbers"
        )


def check_single(scores: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError unless there is one row of scores, one a label."""
    check_scores(scores, labels)
    if scores.ndim != 1:
        raise ValueError(f"scores has shape {scores.shape}; should be (n,): one score per example")
