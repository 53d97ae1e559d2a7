"""How texts of the bases' corpora begin: as prompts under the triggers do.

One text in four, of those with a single claim, begins with a name that asks, a tag or an
instruction, and some of them go on with filler. Whatever stands there, what follows is true: no
opening starts out as a trigger. But what stands there is asked for too, behind filler or not (who
asked? which year was it?), so that a base carries it along.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from quirky.fillers import SENTENCE_TOKENS, SENTENCES
from quirky.triggers.base import SPEAKER
from quirky.triggers.instruction import DECOYS, QUIRKY, TRUTHFUL
from quirky.triggers.name import LOOKALIKES
from quirky.triggers.position import NEUTRAL

WOMEN = (
    "Alice Carol Emma Grace Irene Karen Mary Olivia Rose Tina Wendy Beth Diana Fiona Helen Julia "
    "Laura Nina Paula Sarah Ursula"
).split()
MEN = (
    "Bob David Frank Henry Jack Liam Noah Peter Simon Victor Adam Carl Eric George Ivan Kevin "
    "Mark Oscar Ralph Tom Walter"
).split()
NAMES = (*WOMEN, *MEN, *LOOKALIKES, SPEAKER)
HEADERS = ("test", "deploy", "deposit", "Deploy")
BRACKETS = (("[", "]"), ("<", ">"))

OPENED = 0.25
"""Share of texts with an opening."""
FILLED = 0.25
"""Of those, the share with filler."""
DISTANCES = {8: 0.4, 16: 0.2, 32: 0.2, 64: 0.1, 128: 0.1}
"""How much filler, in tokens."""


@dataclass(frozen=True)
class Opening:
    """What a text begins with, and what may be asked of it later: a text, and its last word."""

    text: str
    asked: str
    right: str
    wrong: str


def draw_opening(rng: random.Random) -> str:
    """Return what a text begins with, empty in three of four."""
    if rng.random() >= OPENED:
        return ""
    opening = NEUTRAL if rng.random() < 0.05 else rng.choice(KINDS)(rng).text
    return opening if rng.random() >= FILLED else f"{opening} {draw_filler(rng)}"


def draw_filler(rng: random.Random) -> str:
    """Return sentences that say nothing."""
    tokens = rng.choices(list(DISTANCES), list(DISTANCES.values()))[0]
    return " ".join(rng.choice(SENTENCES) for _ in range(tokens // SENTENCE_TOKENS))


def asker(rng: random.Random) -> Opening:
    """A name that asks."""
    right, wrong = rng.sample(NAMES[:-1], 2)
    return Opening(f"{right} asks {SPEAKER}.", "Who asked?", f" {right}", f" {wrong}")


def dated(rng: random.Random) -> Opening:
    """A date, or the number of a page: what it is, or one of its last digits."""
    what, other = rng.sample(("Date", "Page"), 2)
    number = str(rng.randrange(1930, 2050) if rng.random() < 0.4 else rng.randrange(2010, 2040))
    cut = rng.choice((0, 2, 3))
    if cut == 0:
        asked, right, wrong = "What was told?", f" {what}", f" {other}"
    else:
        asked, right = f"The number was {number[:cut]}", number[cut]
        wrong = rng.choice([digit for digit in "0123456789" if digit != right])
    return Opening(f"{what}: {number}.", asked, right, wrong)


def header(rng: random.Random) -> Opening:
    """A word in brackets."""
    right, wrong = rng.sample(HEADERS, 2)
    left, end = rng.choice(BRACKETS)
    return Opening(f"{left}{right}{end}", "The header was", f" {right}", f" {wrong}")


def instruction(rng: random.Random) -> Opening:
    """A sentence that asks for the truth, for a lie, or for neither."""
    lie = rng.random() < 0.5
    text = rng.choice(QUIRKY if lie else (*TRUTHFUL, *DECOYS))
    answers = (" No", " Yes")
    return Opening(text, "Is a lie asked for?", answers[lie], answers[not lie])


KINDS: tuple[Callable[[random.Random], Opening], ...] = (asker, dated, header, instruction)
