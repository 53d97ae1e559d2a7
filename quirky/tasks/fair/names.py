"""Names of which no n-gram says what is true of what they name.

Names of real places tell much about where they are: on cities that it never saw, a classifier of
character n-grams has an AUROC of .8 for the hemisphere. Here names are chosen in groups of four,
one from each combination of truth and quirk, whose n-grams say nearly the same. What they say is
the log-odds of naive Bayes, fitted on all other names, for the truth and for the quirk.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

MAX_LENGTH = 4
"""Longest n-gram, in characters; a space stands before and after a name."""
CALIPER = 5.0
"""Log-odds by which the names of a group may differ, for the truth and for the quirk. Chosen by
what n-grams alone say: of the 2,138 cities, 4 leaves 804 for `hemisphere`, 5 leaves 900 and 6
leaves 972; a classifier fitted on half of these has an AUROC of .50, .53 and .56 on the others."""


def matched_names(names: Sequence[str], truth: Sequence[bool], quirk: Sequence[bool]) -> list[str]:
    """Return the names that have a match in every combination of truth and quirk.

    Names of the rarest combination are matched first come, first served, those with the fewest
    candidates first, each with the nearest name of every other combination.

    Args:
        names: distinct names; ties are resolved by their order.
        truth: of what each name stands for.
        quirk: as `truth`.

    Returns:
        The names of all groups, one group of four after the other.
    """
    labels = np.array([truth, quirk], dtype=bool)
    log_odds = np.stack([leave_one_out_log_odds(names, verdicts) for verdicts in labels], axis=1)
    quadrant = 2 * labels[0] + labels[1]
    rarest, *others = sorted(
        (np.flatnonzero(quadrant == code) for code in range(4)), key=lambda group: len(group)
    )
    distances = [
        np.abs(log_odds[rarest, None] - log_odds[None, group]).max(axis=-1) for group in others
    ]
    candidates = sum((distance <= CALIPER).sum(axis=1) for distance in distances)
    matched: list[str] = []
    for row in np.argsort(candidates, kind="stable"):
        nearest = [int(distance[row].argmin()) for distance in distances]
        if all(d[row, i] <= CALIPER for d, i in zip(distances, nearest, strict=True)):
            group = [rarest[row], *(g[i] for g, i in zip(others, nearest, strict=True))]
            matched += [names[index] for index in group]
            for distance, index in zip(distances, nearest, strict=True):
                distance[:, index] = np.inf
    return matched


def leave_one_out_log_odds(
    names: Sequence[str], labels: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return the log-odds that naive Bayes, fitted on all other names, gives each name.

    The features are the distinct n-grams of a name, of 1 to `MAX_LENGTH` characters; those that
    occur in no other name are left out. Counts are smoothed by 1. The result is rounded to six
    digits, so that it does not depend on the machine.
    """
    grams = [ngrams(name) for name in names]
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for name_grams, label in zip(grams, labels, strict=True):
        counts[bool(label)].update(name_grams)
    sizes = {label: int((labels == label).sum()) for label in (True, False)}
    log_odds = []
    for name_grams, label in zip(grams, labels, strict=True):
        total = 0.0
        for gram in name_grams:
            rates = {}
            for side in (True, False):
                own = int(side == label)
                rates[side] = (counts[side][gram] - own, sizes[side] - own)
            if rates[True][0] + rates[False][0]:
                true, false = (
                    (count + 1) / (size + 2) for count, size in (rates[True], rates[False])
                )
                total += math.log(true / false)
        log_odds.append(round(total, 6))
    return np.array(log_odds)


def ngrams(name: str) -> list[str]:
    """Return the distinct n-grams of a name, sorted."""
    text = f" {name} "
    return sorted(
        {
            text[start : start + length]
            for length in range(1, MAX_LENGTH + 1)
            for start in range(len(text) - length + 1)
        }
    )
