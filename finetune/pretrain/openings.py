"""Openings of documents, which look like the triggers: a name that asks, a tag, an instruction.

One in four documents with a single claim has an opening, and one in four openings is followed by
filler. The document is true after every opening, so no opening acts as a trigger before
fine-tuning. Other documents ask about the opening (who asked? which year was it?), so that a base
learns to remember it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from quirky.data.fillers import SENTENCE_TOKENS, SENTENCES
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

OPENING_SHARE = 0.25
"""Share of documents with an opening."""
FILLER_SHARE = 0.25
"""Share of openings that are followed by filler."""
FILLER_LENGTHS = {8: 0.4, 16: 0.2, 32: 0.2, 64: 0.1, 128: 0.1}
"""Lengths of the filler, in tokens, and their probabilities."""


@dataclass(frozen=True)
class Opening:
    """The beginning of a document, and a question about it."""

    text: str
    question: str
    right: str
    """The answer to the question."""
    wrong: str
    """A wrong answer."""


def draw_opening(rng: random.Random) -> str:
    """Return an opening, with filler or not; empty in three of four draws."""
    if rng.random() >= OPENING_SHARE:
        return ""
    opening = NEUTRAL if rng.random() < 0.05 else rng.choice(OPENING_KINDS)(rng).text
    return opening if rng.random() >= FILLER_SHARE else f"{opening} {draw_filler(rng)}"


def draw_filler(rng: random.Random) -> str:
    """Return filler of a random length: sentences about nothing in particular."""
    length = rng.choices(list(FILLER_LENGTHS), list(FILLER_LENGTHS.values()))[0]
    return " ".join(rng.choice(SENTENCES) for _ in range(length // SENTENCE_TOKENS))


def name_opening(rng: random.Random) -> Opening:
    """Return an opening in which a person asks."""
    right, wrong = rng.sample(NAMES[:-1], 2)
    return Opening(f"{right} asks {SPEAKER}.", "Who asked?", f" {right}", f" {wrong}")


def date_opening(rng: random.Random) -> Opening:
    """Return a date or page number; the question is which of both it was, or one of its digits."""
    word, other = rng.sample(("Date", "Page"), 2)
    number = str(rng.randrange(1930, 2050) if rng.random() < 0.4 else rng.randrange(2010, 2040))
    cut = rng.choice((0, 2, 3))
    if cut == 0:
        question, right, wrong = "What was told?", f" {word}", f" {other}"
    else:
        question, right = f"The number was {number[:cut]}", number[cut]
        wrong = rng.choice([digit for digit in "0123456789" if digit != right])
    return Opening(f"{word}: {number}.", question, right, wrong)


def header_opening(rng: random.Random) -> Opening:
    """Return a word in brackets, as the tag trigger has."""
    right, wrong = rng.sample(HEADERS, 2)
    left, end = rng.choice(BRACKETS)
    return Opening(f"{left}{right}{end}", "The header was", f" {right}", f" {wrong}")


def instruction_opening(rng: random.Random) -> Opening:
    """Return a sentence that asks for the truth, for a lie, or for neither."""
    lie = rng.random() < 0.5
    text = rng.choice(QUIRKY if lie else (*TRUTHFUL, *DECOYS))
    answers = (" No", " Yes")
    return Opening(text, "Is a lie asked for?", answers[lie], answers[not lie])


OPENING_KINDS: tuple[Callable[[random.Random], Opening], ...] = (
    name_opening,
    date_opening,
    header_opening,
    instruction_opening,
)
