"""95 % intervals: DeLong on the logit scale, BCa over facts, Wilson over facts, t over seeds.

The interval of an AUROC is DeLong's on the logit scale if every fact occurs once, and a BCa
bootstrap over facts otherwise. There is no percentile bootstrap: near an AUROC of .99 it covers
only 88-90 %. The interval of a proportion is Wilson's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import rankdata
from scipy.stats import t as student_t

from benchmarks.metrics.auroc import auroc, check_score_vector, weighted_auroc

TAIL = 0.025  # probability beyond either bound of a 95 % interval

Interval = tuple[float, float]
BLANK_INTERVAL: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True)
class ScoredExamples:
    """Scores, the labels they are compared with, and the fact of each example."""

    scores: Float[np.ndarray, " n"]
    labels: Bool[np.ndarray, " n"]
    facts: Shaped[np.ndarray, " n"]


def delong_interval(scores: Float[np.ndarray, " n"], labels: Bool[np.ndarray, " n"]) -> Interval:
    """Return the 95 % interval of the AUROC of independent examples, by DeLong on the logit scale.

    The variance is computed from midranks (Sun & Xu 2014, *Fast Implementation of DeLong's
    Algorithm*), so ties count one half. Where the data show no spread, other rules replace it, so
    that no interval has width zero:

    - AUROC of exactly 0 or 1: Clopper and Pearson's bound for k successes in k trials, where k
      is the size of the smaller class. k disjoint pairs of a true and a false example are
      independent, and each is in order with probability AUROC at most, so all are with probability
      AUROC ** k at most: the interval is conservative.
    - a class of a single example, or a constant score: the variance of Hanley & McNeil (1982).

    Raises:
        ValueError: if a score is NaN or the shapes do not match.
    """
    check_score_vector(scores, labels)
    value = float(auroc(scores, labels))
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if np.isnan(value):
        return BLANK_INTERVAL
    if value in (0, 1):
        return _separated_interval(value, pairs=min(positives, negatives))
    if min(positives, negatives) == 1 or scores.min() == scores.max():
        return _hanley_interval(value, positives, negatives)
    ranks = rankdata(scores)
    true_placements = (ranks[labels] - rankdata(scores[labels])) / negatives
    false_placements = (ranks[~labels] - rankdata(scores[~labels])) / positives
    variance = true_placements.var(ddof=1) / positives + false_placements.var(ddof=1) / negatives
    return _logit_interval(value, variance)


def bca_interval(
    scores: Float[np.ndarray, " n"],
    labels: Bool[np.ndarray, " n"],
    facts: Shaped[np.ndarray, " n"],
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the 95 % interval of the AUROC by a BCa bootstrap over facts (Efron 1987).

    Whole facts are resampled, and the acceleration comes from the jackknife over facts. Resamples
    without both classes are dropped, and the interval is widened to contain the estimate if it
    does not. Where resampling shows no spread (AUROC of exactly 0 or 1, a class with a single
    fact, a constant score), the rules of `delong_interval` apply to facts in place of examples.

    Raises:
        ValueError: if a score is NaN, the shapes do not match, or `resamples` is below 100.
    """
    check_score_vector(scores, labels)
    if resamples < 100:
        raise ValueError(f"resamples is {resamples}; should be at least 100 to hold both tails")
    codes, unique = fact_codes(facts, labels)
    value = float(auroc(scores, labels))
    if np.isnan(value):
        return BLANK_INTERVAL
    positives = len(np.unique(codes[labels]))
    negatives = len(np.unique(codes[~labels]))
    if value in (0, 1):
        # A fact that holds both classes can stand on one side of one pair only.
        pairs = min(positives, negatives, len(unique) // 2)
        return _separated_interval(value, pairs)
    if min(positives, negatives) == 1:
        return _hanley_interval(value, positives, negatives)
    draws = weighted_auroc(scores, labels, codes, _resampled_counts(len(unique), resamples, seed))
    draws = draws[~np.isnan(draws)]
    if np.ptp(draws) < 1e-12:
        return _hanley_interval(value, positives, negatives)
    jackknife = weighted_auroc(scores, labels, codes, 1 - np.eye(len(unique), dtype=np.float32))
    low, high = np.quantile(draws, _bca_levels(value, draws, jackknife))
    return min(float(low), value), max(float(high), value)


def gap_interval(
    probe: ScoredExamples,
    floor: ScoredExamples,
    ceiling: ScoredExamples,
    value: float,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the 95 % interval of (probe - floor) / (ceiling - floor), by a BCa bootstrap.

    The three AUROCs are resampled together by facts, because they may share facts. Resamples in
    which the ceiling is not above the floor are dropped.

    Args:
        probe: the probe's scores.
        floor: scores whose AUROC is the floor.
        ceiling: scores whose AUROC is the ceiling.
        value: the ratio on the full data.
        resamples: number of bootstrap resamples.
        seed: of the resampling.
    """
    facts = np.unique(np.concatenate([part.facts for part in (probe, floor, ceiling)]))

    def ratio(weights: Float[np.ndarray, "facts draws"]) -> Float[np.ndarray, " draws"]:
        p, f, c = (
            weighted_auroc(part.scores, part.labels, np.searchsorted(facts, part.facts), weights)
            for part in (probe, floor, ceiling)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(c > f, (p - f) / (c - f), np.nan)

    draws = ratio(_resampled_counts(len(facts), resamples, seed))
    draws = draws[~np.isnan(draws)]
    if len(draws) == 0:
        return BLANK_INTERVAL
    jackknife = ratio(1 - np.eye(len(facts), dtype=np.float32))
    low, high = np.quantile(draws, _bca_levels(value, draws, jackknife[~np.isnan(jackknife)]))
    return min(float(low), value), max(float(high), value)


def wilson_interval(right: Bool[np.ndarray, " n"], facts: Shaped[np.ndarray, " n"]) -> Interval:
    """Return the 95 % interval of a proportion: Wilson's at the effective sample size.

    The effective size is n / design effect, as Franco, Little, Louis & Slud recommend (2019,
    *Comparative Study of Confidence Intervals for Proportions in Complex Sample Surveys*). The
    design effect (Kish 1965) is the variance of the proportion with facts as clusters over the
    variance with independent examples, and at least 1. If all examples are alike, the data show no
    design effect and the examples of a fact count as one, by Kish's n**2 / sum(size**2).

    Args:
        right: which answers are right.
        facts: the fact of each example.

    Returns:
        The bounds, NaN if there is no example.
    """
    codes, unique = fact_codes(facts, right)
    n = len(right)
    if n == 0:
        return BLANK_INTERVAL
    share = float(right.mean())
    size = _effective_size(right - share, codes, len(unique))
    z2 = float(ndtri(1 - TAIL)) ** 2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = (z2 * (share * (1 - share) / size + z2 / (4 * size**2))) ** 0.5 / (1 + z2 / size)
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)


def t_interval(
    values: Sequence[float] | Float[np.ndarray, " seeds"],
) -> tuple[float, float, float]:
    """Return the mean over seeds with its 95 % t interval: (mean, low, high).

    The bounds are NaN for fewer than two values, and the mean for none. The bounds are not
    clipped: with few seeds they may leave [0, 1].

    Raises:
        ValueError: if a value is not finite.
    """
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1:
        raise ValueError(f"values has shape {sample.shape}; should be (seeds,)")
    if not np.isfinite(sample).all():
        raise ValueError(f"values is {sample.tolist()}; should be finite: leave out blank seeds")
    if len(sample) == 0:
        return float("nan"), *BLANK_INTERVAL
    mean = float(sample.mean())
    if len(sample) == 1:
        return mean, *BLANK_INTERVAL
    half = float(student_t.ppf(1 - TAIL, len(sample) - 1) * sample.std(ddof=1) / len(sample) ** 0.5)
    return mean, mean - half, mean + half


def _effective_size(
    residuals: Float[np.ndarray, " n"], codes: Int[np.ndarray, " n"], facts: int
) -> float:
    """Return the number of independent examples whose mean would be as uncertain as this one."""
    n = len(residuals)
    independent = (residuals**2).sum() / n / (n - 1) if n > 1 else 0.0
    if independent == 0 or facts == 1:
        return n**2 / float((np.bincount(codes) ** 2).sum())
    clustered = (np.bincount(codes, residuals) ** 2).sum() / n**2 * facts / (facts - 1)
    return n / max(1.0, float(clustered / independent))


def _logit_interval(value: float, variance: float) -> Interval:
    half = ndtri(1 - TAIL) * variance**0.5 / (value * (1 - value))
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def _hanley_interval(value: float, positives: int, negatives: int) -> Interval:
    """Interval by Hanley & McNeil (1982), from the AUROC and the class sizes alone."""
    two_positives = value / (2 - value)  # both of two positives outscore one negative
    two_negatives = 2 * value**2 / (1 + value)  # one positive outscores both of two negatives
    variance = (
        value * (1 - value)
        + (positives - 1) * (two_positives - value**2)
        + (negatives - 1) * (two_negatives - value**2)
    ) / (positives * negatives)
    return _logit_interval(value, variance)


def _separated_interval(value: float, pairs: int) -> Interval:
    """Clopper & Pearson (1934) for `pairs` independent pairs, all in order (1) or none (0)."""
    bound = TAIL ** (1 / pairs) if pairs else 0.0
    return (bound, 1.0) if value == 1 else (0.0, 1 - bound)


@lru_cache(maxsize=4)  # the figures of a cell share their facts
def _resampled_counts(facts: int, resamples: int, seed: int) -> Float[np.ndarray, "facts draws"]:
    """Return how often each fact occurs in each resample."""
    picks = np.random.default_rng(seed).integers(facts, size=(facts, resamples))
    flat = np.bincount((picks * resamples + np.arange(resamples)).ravel(), minlength=picks.size)
    counts = flat.reshape(facts, resamples).astype(np.float32)
    counts.flags.writeable = False
    return counts


def _bca_levels(
    value: float, draws: Float[np.ndarray, " draws"], jackknife: Float[np.ndarray, " facts"]
) -> Float[np.ndarray, " 2"]:
    """Return the levels of the bootstrap quantiles that BCa uses instead of 2.5 and 97.5 %."""
    share_below = np.mean(draws < value) + np.mean(draws == value) / 2
    bias = ndtri(np.clip(share_below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    influence = jackknife.mean() - jackknife
    spread = np.sum(influence**2)
    acceleration = np.sum(influence**3) / (6 * spread**1.5) if spread > 0 else 0.0
    quantiles = bias + ndtri(np.array([TAIL, 1 - TAIL]))
    return np.asarray(ndtr(bias + quantiles / (1 - acceleration * quantiles)))


def fact_codes(
    facts: Shaped[np.ndarray, " n"], labels: Bool[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Shaped[np.ndarray, " facts"]]:
    """Return the facts numbered from 0, and the distinct facts.

    Raises:
        ValueError: if there is not one fact per label.
    """
    if np.shape(facts) != labels.shape:
        raise ValueError(
            f"facts has shape {np.shape(facts)}; should be {labels.shape}, one fact per label"
        )
    unique, codes = np.unique(facts, return_inverse=True)
    return codes, unique
