"""How well scores order the true above the false: AUROC with its interval, the recovered gap."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from benchmarks.metrics.auroc import auroc, check_mask, check_single
from benchmarks.metrics.intervals import (
    BLANK,
    Scored,
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
    """A figure, its 95 % interval and the number of examples; NaN where it is not defined."""

    value: float
    low: float
    high: float
    n: int


def auroc_estimate(
    scores: Float[np.ndarray, " n"],
    labels: Bool[np.ndarray, " n"],
    facts: Shaped[np.ndarray, " n"] | None = None,
) -> Estimate:
    """AUROC with its 95 % interval, blank (NaN) if only one class is present.

    `facts` tells which fact each example is about. The interval is `delong_interval` where
    every fact occurs once (or `facts` is None) and `bca_interval` otherwise.
    """
    check_single(scores, labels)
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
) -> Estimate:
    """Share of right answers, of log-odds that say True above 0, with its 95 % interval.

    `facts` tells which fact each example is about. The interval is `wilson_interval`, in which
    examples of one fact are not independent; NaN of no example.
    """
    check_single(log_odds, labels)
    right = (log_odds > 0) == labels
    value = float(right.mean()) if len(right) else float("nan")
    return Estimate(value, *wilson_interval(right, facts), len(right))


def recovered_gap(probe: float, floor: float, ceiling: float, minimum: float = 0.1) -> float:
    """Share of the gap between two AUROCs that a probe recovers: 0 at the floor, 1 at the ceiling.

    NaN when ceiling - floor is below `minimum` (the ratio would explode) or an AUROC is NaN.
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


def recovered_gap_estimate(probe: Scored, floor: Scored, ceiling: Scored) -> Estimate:
    """Return the recovered gap of a probe with its 95 % interval; NaN where it is not defined.

    Facts are resampled, and all three AUROCs are computed anew from each resample: floor and
    ceiling are measured too. The interval is never narrower than that of the probe's AUROC with
    the other two held fixed, which stands in where resampling shows no spread.
    """
    values = [float(auroc(part.scores, part.labels)) for part in (probe, floor, ceiling)]
    value = recovered_gap(*values)
    n = len(probe.labels)
    if np.isnan(value):
        return Estimate(value, *BLANK, n)
    own = auroc_estimate(probe.scores, probe.labels, probe.facts)
    fixed = [recovered_gap(bound, *values[1:]) for bound in (own.low, own.high)]
    low, high = gap_interval(probe, floor, ceiling, value)
    return Estimate(value, min(low, fixed[0]), max(high, fixed[1]), n)


def subset(
    truth: Bool[np.ndarray, " n"],
    quirk: Bool[np.ndarray, " n"],
    withheld: Bool[np.ndarray, " n"],
    name: str,
) -> Bool[np.ndarray, " n"]:
    """Mask of the examples of a subset: all, those where truth and quirk (dis)agree, or withheld.

    Withheld facts, which the model was never told, count in the subset `withheld` only.
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
