"""What tasks with a dial share: equally many claims at each setting.

The tasks come from *Separations in the Representational Capabilities of Transformers and Recurrent
Architectures* (arXiv 2406.09347): index lookup, string equality and nearest neighbour are hard for
recurrent models, bounded Dyck for shallow transformers.
"""

import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from quirky.example import Claim
from quirky.prompts import Wording
from quirky.tasks.base import Task

FACTS = 3_000
"""Claims at each setting."""
LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True)
class Question:
    """A question and its possible answers."""

    fields: Mapping[str, str]
    """Fields of the templates, except the answer."""
    subject: str
    """What the question is about; questions with one subject are one fact."""
    right: str
    """The right answer."""
    quirk: str
    """The answer by the quirk rule."""
    others: Sequence[str]
    """Answers that are neither."""


class DialTask(Task):
    """A task with a dial.

    Args:
        dials: one setting of the dial, or several different ones.

    Raises:
        ValueError: if `dials` is empty, has duplicates, or holds a setting out of range.
    """

    affirmative: ClassVar[Wording]
    least: ClassVar[int]
    """The smallest setting that has enough claims."""
    most: ClassVar[int]
    """The largest setting."""

    def __init__(self, dials: int | Sequence[int]):
        settings = [dials] if isinstance(dials, int) else dials
        is_list = isinstance(settings, list | tuple)
        if not is_list or not settings or len(set(settings)) < len(settings):
            raise ValueError(
                f"task {self.name}: dials = {settings!r}; give different settings, in a list"
            )
        for setting in settings:
            is_whole = isinstance(setting, int) and not isinstance(setting, bool)
            if not (is_whole and self.least <= setting <= self.most):
                raise ValueError(
                    f"task {self.name}: dials: {setting!r}; give whole numbers from {self.least} "
                    f"to {self.most}"
                )
        self.dials = tuple(settings)

    @abstractmethod
    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw a claim at a setting of the dial."""

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield `FACTS` claims at each setting, each about another fact."""
        fact_ids: set[str] = set()
        for setting in self.dials:
            rng = random.Random(f"{self.name}-{setting}-{seed}")
            total = len(fact_ids) + FACTS
            while len(fact_ids) < total:
                claim = self.claim(setting, rng)
                if claim.fact_id not in fact_ids:
                    fact_ids.add(claim.fact_id)
                    yield claim


class AnswerTask(DialTask):
    """A task with a dial whose claims name an answer.

    A quarter of the claims names the right answer, a quarter the quirk's, and half another one. No
    claim is true by both rules.
    """

    @abstractmethod
    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw a subject at a setting of the dial; return its questions in random order."""

    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw a question and one of its answers."""
        question = self.questions(setting, rng)[0]
        kind = rng.randrange(4)
        if kind < 2:
            return self.answer_claim(setting, question, (question.right, question.quirk)[kind])
        return self.answer_claim(setting, question, rng.choice(question.others))

    def answer_claim(self, setting: int, question: Question, answer: str) -> Claim:
        """Return the claim that `answer` is right."""
        return Claim(
            fields={**question.fields, "answer": answer},
            fact_id=f"{self.name}:{question.subject}",
            truth=answer == question.right,
            quirk=answer == question.quirk,
            difficulty=float(setting),
            dial=float(setting),
        )
