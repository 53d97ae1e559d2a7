"""Estimates with 95 % intervals: AUROC, accuracy and the recovered gap; and subsets of examples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from benchmarks.metrics.auroc import auroc, check_mask, check_score_vector
from benchmarks.metrics.intervals import (
    BLANK_INTERVAL,
    ScoredExamples,
    bca_interval,
    delong_interval,
    fact_codes,
    gap_interval,
    wilson_interval,
)
from quirky.plugins import unknown

SUBSETS = ("all", "disagree", "agree", "withheld")


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval and the number of examples; NaN where it is undefined."""

    value: float
    low: float
    high: float
    n: int


def auroc_estimate(
    scores: Float[np.ndarray, " n"],
    labels: Bool[np.ndarray, " n"],
    facts: Shaped[np.ndarray, " n"] | None = None,
) -> Estimate:
    """Return the AUROC with its 95 % interval, NaN if only one class is present.

    Args:
        scores: one score per example; higher = truer.
        labels: which examples are true.
        facts: the fact of each example. The interval is `delong_interval` if every fact occurs
            once (or `facts` is None) and `bca_interval` otherwise.
    """
    check_score_vector(scores, labels)
    value = float(auroc(scores, labels))
    if facts is None or len(fact_codes(facts, labels)[1]) == len(labels):
        low, high = delong_interval(scores, labels)
    else:
        low, high = bca_interval(scores, labels, facts)
    return Estimate(value, low, high, len(labels))


def accuracy_estimate(
    log_odds: Float[np.ndarray, " n"],
    labels: Bool[np.ndarray, " n"],
    facts: Shaped[np.ndarray, " n"],
    threshold: float = 0.0,
) -> Estimate:
    """Return the share of right answers with its 95 % interval; NaN if there is no example.

    An answer is True if its log-odds are above the threshold. The interval is `wilson_interval`,
    which does not treat examples of one fact as independent.
    """
    check_score_vector(log_odds, labels)
    right = (log_odds > threshold) == labels
    value = float(right.mean()) if len(right) else float("nan")
    return Estimate(value, *wilson_interval(right, facts), len(right))


def recovered_gap(probe: float, floor: float, ceiling: float, minimum: float = 0.1) -> float:
    """Return the share of the gap between floor and ceiling AUROC that a probe recovers.

    It is 0 at the floor and 1 at the ceiling, and NaN if ceiling - floor is below `minimum` (the
    ratio would explode) or if an AUROC is NaN.

    Raises:
        ValueError: if an AUROC is outside [0, 1] or `minimum` is not positive.
    """
    for name, value in (("probe", probe), ("floor", floor), ("ceiling", ceiling)):
        if value < 0 or value > 1:
            raise ValueError(f"{name} is {value}; should be an AUROC, between 0 and 1")
    if not minimum > 0:
        raise ValueError(f"minimum is {minimum}; should be above 0")
    gap = ceiling - floor
    if np.isnan(gap) or gap < minimum - 1e-9:  # .6 - .5 is a hair below .1 in floating point
        return float("nan")
    return (probe - floor) / gap


def recovered_gap_estimate(
    probe: ScoredExamples, floor: ScoredExamples, ceiling: ScoredExamples
) -> Estimate:
    """Return the recovered gap of a probe with its 95 % interval; NaN where it is undefined.

    All three AUROCs are recomputed on each resample of the facts, because floor and ceiling are
    estimates too. The interval is at least as wide as with floor and ceiling fixed, which is also
    the fallback where resampling shows no spread.
    """
    values = [float(auroc(part.scores, part.labels)) for part in (probe, floor, ceiling)]
    value = recovered_gap(*values)
    n = len(probe.labels)
    if np.isnan(value):
        return Estimate(value, *BLANK_INTERVAL, n)
    probe_auroc = auroc_estimate(probe.scores, probe.labels, probe.facts)
    fixed = [recovered_gap(bound, *values[1:]) for bound in (probe_auroc.low, probe_auroc.high)]
    low, high = gap_interval(probe, floor, ceiling, value)
    return Estimate(value, min(low, fixed[0]), max(high, fixed[1]), n)


def subset_mask(
    truth: Bool[np.ndarray, " n"],
    quirk: Bool[np.ndarray, " n"],
    withheld: Bool[np.ndarray, " n"],
    name: str,
) -> Bool[np.ndarray, " n"]:
    """Return the mask of a subset: `all`, `agree` or `disagree` (truth and quirk), or `withheld`.

    Facts withheld from the model are in the subset `withheld` only.

    Raises:
        ValueError: if the name is unknown or a mask has another type or shape.
    """
    for argument, mask in (("truth", truth), ("quirk", quirk), ("withheld", withheld)):
        check_mask(argument, mask)
        if mask.shape != truth.shape:
            raise ValueError(
                f"{argument} has shape {mask.shape}; should be {truth.shape}, that of truth"
            )
    match name:
        case "all":
            return ~withheld
        case "disagree":
            return ~withheld & (truth != quirk)
        case "agree":
            return ~withheld & (truth == quirk)
        case "withheld":
            return withheld.copy()
    raise unknown("subset name", name, SUBSETS)
