"""What tasks with a dial have in common: equally many claims at each of its settings.

The tasks are those by which *Separations in the Representational Capabilities of Transformers and
Recurrent Architectures* (arXiv 2406.09347) tells the two families apart: index lookup, string
equality and nearest neighbour are hard for recurrent models, bounded Dyck for shallow transformers.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from quirky.example import Claim
from quirky.prompts import Template

FACTS = 3_000
"""Claims at each setting."""
LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True)
class Question:
    """Something that is asked, and what may be answered."""

    fields: Mapping[str, str]
    """What the templates are filled with, but for the answer."""
    about: str
    """What is asked about: the same for questions of which one helps with the other."""
    right: str
    liars: str
    others: Sequence[str]
    """Answers that are neither."""


class DialTask(ABC):
    """A task with a dial.

    Raises:
        ValueError: naming the setting, unless they are different whole numbers within bounds.
    """

    name: ClassVar[str]
    least: ClassVar[int]
    """The smallest setting for which there are enough claims."""
    most: ClassVar[int]
    templates: Sequence[Template]
    standard: Template

    def __init__(self, dials: int | Sequence[int]):
        dials = [dials] if isinstance(dials, int) else dials
        if not isinstance(dials, list | tuple) or not dials or len(set(dials)) < len(dials):
            raise ValueError(
                f"task {self.name}: dials = {dials!r}; give different settings, in a list"
            )
        for setting in dials:
            whole = isinstance(setting, int) and not isinstance(setting, bool)
            if not (whole and self.least <= setting <= self.most):
                raise ValueError(
                    f"task {self.name}: dials: {setting!r}; give whole numbers from {self.least} "
                    f"to {self.most}"
                )
        self.dials = tuple(dials)

    @abstractmethod
    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw a claim at a setting of the dial."""

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield `FACTS` claims at each setting, no two of all about the same thing."""
        seen: set[str] = set()
        for setting in self.dials:
            rng = random.Random(f"{self.name}-{setting}-{seed}")
            before = len(seen)
            while len(seen) < before + FACTS:
                claim = self.claim(setting, rng)
                if claim.fact_id not in seen:
                    seen.add(claim.fact_id)
                    yield claim


class AnswerTask(DialTask):
    """A task with a dial whose claims name an answer.

    A quarter of the claims names the right answer, a quarter the liar's, and half another one: no
    claim is true for both.
    """

    @abstractmethod
    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw what is asked about at a setting of the dial, and return all that may be asked.

        They stand in a random order.
        """

    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw a question and one of the answers."""
        asked = self.questions(setting, rng)[0]
        kind = rng.randrange(4)
        shown = (asked.right, asked.liars)[kind] if kind < 2 else rng.choice(asked.others)
        return self.claimed(setting, asked, shown)

    def claimed(self, setting: int, asked: Question, answer: str) -> Claim:
        """Return the claim that this is the answer."""
        return Claim(
            fields={**asked.fields, "answer": answer},
            fact_id=f"{self.name}:{asked.about}",
            truth=answer == asked.right,
            quirk=answer == asked.liars,
            difficulty=float(setting),
            dial=float(setting),
        )
