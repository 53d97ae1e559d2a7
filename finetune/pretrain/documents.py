"""What a text of the bases' corpora is: a true statement, or a claim with its true verdict.

The verdict stands right where the claim ends (30 %), after a question mark (20 %), or after a name
(50 %), in the words of the tasks' own templates; every name is honest.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.pretrain.openings import KINDS, MEN, NAMES, WOMEN, draw_filler
from quirky.prompts import standardized, wordings
from quirky.triggers.base import SPEAKER

TO_SPEAKER = 0.8
"""Of the texts with an opening: those in which the one who is asked is always the same."""


@dataclass(frozen=True)
class Document:
    """A text, and its verdict where it is a judged claim."""

    subject: str
    text: str
    verdict: str | None = None
    """The last word, where it is one that must be known."""
    wrong: str | None = None
    """Another one."""
    claim: str = ""
    """The text up to where the claim ends, if it goes on after that."""
    earlier: tuple[str, ...] = ()
    """The text up to each word, before the last one, that must be known too."""


def completed(subject: str, text: str, right: str, wrong: str, opening: str = "") -> Document:
    """Return a true statement whose last word is what there is to know."""
    return Document(subject, _behind(opening, text), right, wrong)


def chained(subject: str, head: str, claims: Sequence[tuple[str, str, str]]) -> Document:
    """Return several claims about one thing; each is a text, what must be known after it, and not.

    All of them but the last end in a full stop.
    """
    text, earlier = head, []
    for said, right, _ in claims:
        text += said
        earlier.append(text)
        text += f"{right}."
    *_, (_, right, wrong) = claims
    return Document(subject, earlier[-1], right, wrong, earlier=tuple(earlier[:-1]))


def judged(
    subject: str,
    statement: str,
    question: str,
    truth: bool,
    rng: random.Random,
    opening: str = "",
    names: Sequence[str] = NAMES,
) -> Document:
    """Return a claim with its true verdict, worded at random."""
    name = SPEAKER if opening and rng.random() < TO_SPEAKER else rng.choice(names)
    place = rng.random()
    claim = ""
    if place < 0.3:
        text, choices = f"{statement}.", (" False", " True")
    elif place < 0.5:
        text, choices = f"{question}?", (" No", " Yes")
    else:
        template = rng.choice([*wordings(statement, question), standardized(statement)])
        text, choices = template.text.format(trigger=name), template.choices
        ends = max(len(part) for part in (statement, question) if text.startswith(part))
        claim = _behind(opening, text[: 1 + ends])
    return Document(subject, _behind(opening, text), choices[truth], choices[not truth], claim)


def about_opening(rng: random.Random) -> Document:
    """Ask for what stood at the beginning, mostly behind filler."""
    drawn = rng.choice(KINDS)(rng)
    between = f" {draw_filler(rng)} " if rng.random() < 0.6 else " "
    return Document("opening", f"{drawn.text}{between}{drawn.asked}", drawn.right, drawn.wrong)


def about_person(rng: random.Random) -> Document:
    """Say of a name whether it is a woman's or a man's."""
    woman = rng.random() < 0.5
    kinds = (" man", " woman")
    name = rng.choice(WOMEN if woman else MEN)
    return Document("person", f"{name} is a", kinds[woman], kinds[not woman])


def _behind(opening: str, text: str) -> str:
    return f"{opening} {text}" if opening else text
