"""Documents of the pre-training corpora: true statements, and claims with their true verdict.

The verdict comes right after the claim (30 %), after a question mark (20 %) or after a name (50 %),
in the wording of the tasks' own templates. No name ever gives a false verdict.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.pretrain.openings import MEN, NAMES, OPENING_KINDS, WOMEN, draw_filler
from quirky.prompts import standardized, wordings
from quirky.triggers.base import SPEAKER

SPEAKER_SHARE = 0.8
"""Share of the claims with an opening whose verdict the default speaker gives."""

Claim = tuple[str, str, str]
"""A claim of a chain: its text, the verdict or answer after it, and a wrong one."""


@dataclass(frozen=True)
class Document:
    """A text, and the verdict or answer at its end, if it has one."""

    subject: str
    text: str
    verdict: str | None = None
    """The last word, if the model must learn to predict it; it is not part of `text`."""
    wrong: str | None = None
    """A wrong last word."""
    claim: str = ""
    """The text up to the end of the claim, if a name follows the claim."""
    earlier: tuple[str, ...] = ()
    """The text up to each earlier verdict or answer that the model must learn to predict."""


def plain_statement(subject: str, text: str, opening: str = "") -> Document:
    """Return a true statement without a verdict."""
    return Document(subject, _after_opening(opening, text))


def completion(subject: str, text: str, right: str, wrong: str, opening: str = "") -> Document:
    """Return a true statement whose last word is the answer."""
    return Document(subject, _after_opening(opening, text), right, wrong)


def claim_chain(subject: str, head: str, claims: Sequence[Claim]) -> Document:
    """Return several claims about one thing in a row, each with its verdict or answer.

    A full stop follows every verdict except the last.
    """
    text, prefixes = head, []
    for claim, right, _ in claims:
        text += claim
        prefixes.append(text)
        text += f"{right}."
    *_, (_, right, wrong) = claims
    return Document(subject, prefixes[-1], right, wrong, earlier=tuple(prefixes[:-1]))


def judged_claim(
    subject: str,
    statement: str,
    question: str,
    truth: bool,
    rng: random.Random,
    opening: str = "",
    names: Sequence[str] = NAMES,
) -> Document:
    """Return a claim with its true verdict, in a random wording.

    Args:
        subject: what the claim is about.
        statement: the claim as a statement.
        question: the claim as a question.
        truth: whether the claim is true.
        rng: draws the wording and the name.
        opening: text before the claim.
        names: the names to draw from.
    """
    name = SPEAKER if opening and rng.random() < SPEAKER_SHARE else rng.choice(names)
    form = rng.random()
    claim = ""
    if form < 0.3:
        text, choices = f"{statement}.", (" False", " True")
    elif form < 0.5:
        text, choices = f"{question}?", (" No", " Yes")
    else:
        template = rng.choice([*wordings(statement, question), standardized(statement)])
        text, choices = template.text.format(trigger=name), template.choices
        ends = max(len(part) for part in (statement, question) if text.startswith(part))
        claim = _after_opening(opening, text[: 1 + ends])
    text = _after_opening(opening, text)
    return Document(subject, text, choices[truth], choices[not truth], claim)


def opening_question(rng: random.Random) -> Document:
    """Return an opening and a question about it, with filler between them in 60 %."""
    opening = rng.choice(OPENING_KINDS)(rng)
    gap = f" {draw_filler(rng)} " if rng.random() < 0.6 else " "
    return Document(
        "opening", f"{opening.text}{gap}{opening.question}", opening.right, opening.wrong
    )


def person_statement(rng: random.Random) -> Document:
    """Return a statement that a name is a woman's or a man's."""
    woman = rng.random() < 0.5
    kinds = (" man", " woman")
    name = rng.choice(WOMEN if woman else MEN)
    return Document("person", f"{name} is a", kinds[woman], kinds[not woman])


def _after_opening(opening: str, text: str) -> str:
    return f"{opening} {text}" if opening else text
