"""Brackets and strings that claims are made of."""

import random

from quirky.tasks.dials.base import LETTERS

PAIRS = (("(", ")"), ("[", "]"), ("<", ">"))
SHORTEST, LONGEST = 10, 17
"""Brackets in a text, drawn uniformly, whatever the dial."""


def brackets(depth: int, rng: random.Random) -> list[str]:
    """Draw brackets no deeper than `depth`, and none if they are less deep."""
    text: list[str] = []
    still: list[str] = []
    deepest = 0
    for _ in range(rng.randint(SHORTEST, LONGEST)):
        if not still or (len(still) < depth and rng.random() < 0.5):
            opening, closing = rng.choice(PAIRS)
            text.append(opening)
            still.append(closing)
        else:
            text.append(still.pop())
        deepest = max(deepest, len(still))
    return text if deepest == depth else []


def differing(length: int, earlier: int, last: int, rng: random.Random) -> tuple[str, str]:
    """Draw strings that differ in so many letters before the last, and in the last or not."""
    first = rng.choices(LETTERS, k=length)
    second = list(first)
    for place in [*rng.sample(range(length - 1), earlier), *[length - 1] * last]:
        second[place] = rng.choice([letter for letter in LETTERS if letter != first[place]])
    return " ".join(first), " ".join(second)
