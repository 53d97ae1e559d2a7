"""Bounded Dyck: how deep brackets are nested."""

import random
from collections.abc import Sequence

from quirky.example import Claim
from quirky.tasks.dials.base import AnswerTask, Question
from quirky.tasks.dials.texts import brackets
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates


@register_task
class Dyck(AnswerTask):
    """Claim: the nesting depth of some brackets. Truth: it is right. Quirk: it is one too high.

    Brackets of three kinds, opened and closed in order. The dial is the largest depth. The answers
    2 to the dial are equally frequent among right answers and among the quirk's, so the answer
    alone carries no information; a wrong answer is another number from 1 to one more than the dial.
    (The number of brackets open at the end would not do as a claim: the parity of the number of
    brackets would tell truth and quirk apart.) Difficulty: the dial. Source: arXiv 2406.09347
    (bounded Dyck).
    """

    name = "dyck"
    least, most = 2, 8
    affirmative = (
        "The brackets {brackets} are {answer} deep",
        "Are the brackets {brackets} {answer} deep",
    )
    templates, standard = claim_templates(affirmative)

    def __init__(self, dials: int | Sequence[int] = (2, 3, 4, 6)):
        super().__init__(dials)

    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw a depth, and brackets of that depth."""
        return [_question(rng.randint(1, setting), setting, rng)]

    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw an answer, then brackets for which it is right, the quirk's or neither."""
        kind, answer = rng.randrange(4), rng.randint(2, setting)
        if kind < 2:
            question = _question(answer - kind, setting, rng)
            return self.answer_claim(setting, question, str(answer))
        question = self.questions(setting, rng)[0]
        return self.answer_claim(setting, question, rng.choice(question.others))


def _question(depth: int, max_depth: int, rng: random.Random) -> Question:
    sequence: list[str] = []
    while not sequence:
        sequence = brackets(depth, rng)
    text = " ".join(sequence)
    return Question(
        fields={"brackets": text},
        subject=text,
        right=str(depth),
        quirk=str(depth + 1),
        others=[str(d) for d in range(1, max_depth + 2) if d not in (depth, depth + 1)],
    )
