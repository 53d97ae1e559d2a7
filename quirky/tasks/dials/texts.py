"""Random brackets and strings for claims."""

import random

from quirky.tasks.dials.base import LETTERS

PAIRS = (("(", ")"), ("[", "]"), ("<", ">"))
SHORTEST, LONGEST = 10, 17
"""Range of the number of brackets, drawn uniformly at every setting of the dial."""


def brackets(depth: int, rng: random.Random) -> list[str]:
    """Draw brackets of at most `depth`; return an empty list if they are less deep."""
    sequence: list[str] = []
    open_brackets: list[str] = []
    deepest = 0
    for _ in range(rng.randint(SHORTEST, LONGEST)):
        if not open_brackets or (len(open_brackets) < depth and rng.random() < 0.5):
            opening, closing = rng.choice(PAIRS)
            sequence.append(opening)
            open_brackets.append(closing)
        else:
            sequence.append(open_brackets.pop())
        deepest = max(deepest, len(open_brackets))
    return sequence if deepest == depth else []


def differing_strings(length: int, earlier: int, last: int, rng: random.Random) -> tuple[str, str]:
    """Draw two strings of letters, separated by spaces.

    Args:
        length: letters in each string.
        earlier: how many letters before the last one differ.
        last: 1 if the last letters differ, else 0.
        rng: source of randomness.
    """
    first = rng.choices(LETTERS, k=length)
    second = list(first)
    for place in [*rng.sample(range(length - 1), earlier), *[length - 1] * last]:
        second[place] = rng.choice([letter for letter in LETTERS if letter != first[place]])
    return " ".join(first), " ".join(second)
