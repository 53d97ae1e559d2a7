"""Results of sums of which no digit says whether they are right.

A linear reader of n-grams learns nothing about the truth if every n-gram is as frequent in true
claims as in false ones: the gradient of its loss is then 0 at weight 0. In the published claims it
learns much, because what the quirk calls right has larger leading digits, or one digit more, than
what is right.

Here every fact has two claims. The first shows the right result or, with equal probability, the
quirk's; the second shows a distractor. So operands say nothing. A distractor is the right result
with another leading digit, and leading digits are drawn so that false claims show each as often as
true ones: if T right results and Q results of the quirk have a leading digit and a length, then
(3T - Q) / 2 distractors have it. (What the quirk calls right cannot be hidden in the same way: its
results are larger than what is right, so a reader of the quirk has an AUROC of .57 with two digits,
and .63 with four.) A fact whose quirk result looks like no right result (with two
digits: 90 or more, because no right result has three) has a second distractor in its place.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

Head = tuple[int, str]
"""Number of digits and leading digit of a result."""
ROUNDS = 50
"""Of the fit of the weights; after 20, expected numbers are right to 1 % with two digits."""


def head(result: int) -> Head:
    """Return the number of digits and the leading digit of a positive result."""
    text = str(result)
    return len(text), text[0]


def results_to_show(
    rights: Sequence[int], quirk_result: Callable[[int], int], rng: random.Random
) -> Iterator[tuple[int, ...]]:
    """Yield the results to show for each right result, all different: two, rarely one.

    Args:
        rights: positive right results, one for each fact.
        quirk_result: the result that the quirk calls right.
        rng: draws the results.
    """
    counts = Counter(map(head, rights))
    quirks = [quirk_result(right) for right in rights]
    weights = _distractor_weights(
        counts,
        Counter(map(head, quirks)),
        {head(right): head(quirk) for right, quirk in zip(rights, quirks, strict=True)},
    )
    for right, quirk in zip(rights, quirks, strict=True):
        results: list[int] = []
        if rng.random() < 0.5:
            results.append(right)
        elif head(quirk) in counts:
            results.append(quirk)
        while len(results) < 2:
            value = _distractor(right, {right, quirk, *results}, weights, rng)
            if value is None:
                break
            results.append(value)
        yield tuple(results)


def _distractor_weights(
    counts: Counter[Head], quirk_counts: Counter[Head], quirk_head: Mapping[Head, Head]
) -> dict[Head, float]:
    """Return weights with which distractors have each leading digit as often as they should.

    A distractor never has the leading digit of the right or of the quirk's result, so weights in
    proportion to the numbers that are wanted would miss these. They are corrected by the ratio of
    wanted to expected numbers until both agree (iterative proportional fitting).

    Args:
        counts: right results of each head.
        quirk_counts: results of the quirk of each head.
        quirk_head: the head of the quirk's result, by that of the right result.
    """
    wanted = {h: max(0.0, (3 * counts[h] - quirk_counts[h]) / 2) for h in sorted(counts)}
    choices = {
        own: [h for h in wanted if h[0] == own[0] and h not in (own, quirk_head[own])]
        for own in wanted
    }
    weights = dict(wanted)
    for _ in range(ROUNDS):
        expected = dict.fromkeys(wanted, 0.0)
        for own, heads in choices.items():
            drawn = counts[own] * (1.0 if quirk_head[own] in counts else 1.5)
            total = sum(weights[h] for h in heads)
            for h in heads if total else ():
                expected[h] += drawn * weights[h] / total
        weights = {h: w * wanted[h] / expected[h] if expected[h] else w for h, w in weights.items()}
    return weights


def _distractor(
    right: int, avoid: set[int], weights: Mapping[Head, float], rng: random.Random
) -> int | None:
    """Return the right result with another leading digit, drawn by weight; None if none is left."""
    length, _ = head(right)
    tail = str(right)[1:]
    values = {int(first + tail): w for (n, first), w in weights.items() if n == length and w}
    values = {value: weight for value, weight in values.items() if value not in avoid}
    return rng.choices(list(values), list(values.values()))[0] if values else None
