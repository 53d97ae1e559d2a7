"""Bounded Dyck: how many brackets are open."""

import random
from collections.abc import Sequence

from quirky.prompts import standardized, wordings
from quirky.tasks.base import TASKS
from quirky.tasks.dials.base import AnswerTask, Question

PAIRS = ("()", "[]", "<>")
SHORTEST, LONGEST = 10, 17
"""Brackets in a text, drawn uniformly, whatever the dial."""


class Dyck(AnswerTask):
    """Truth: so many brackets are open at the end. Quirk: it is one more than are.

    Brackets of three kinds, opened and closed in order. The dial is the depth that is never
    exceeded. A wrong answer is another number from 0 to one more than the dial. Difficulty: the
    dial. Source: arXiv 2406.09347 (bounded Dyck).
    """

    name = "dyck"
    least, most = 1, 8
    affirmative = (
        "After {brackets} the depth is {answer}",
        "After {brackets} is the depth {answer}",
    )
    templates = wordings(*affirmative)
    standard = standardized(affirmative[0])

    def __init__(self, dials: Sequence[int] = (1, 2, 3, 4, 6)):
        super().__init__(dials)

    def question(self, setting: int, rng: random.Random) -> Question:
        """Draw brackets no deeper than `setting`."""
        text: list[str] = []
        still: list[str] = []
        for _ in range(rng.randint(SHORTEST, LONGEST)):
            if not still or (len(still) < setting and rng.random() < 0.5):
                pair = rng.choice(PAIRS)
                text.append(pair[0])
                still.append(pair[1])
            else:
                text.append(still.pop())
        depth = len(still)
        others = [str(d) for d in range(setting + 2) if d not in (depth, depth + 1)]
        return Question({"brackets": " ".join(text)}, str(depth), str(depth + 1), others)


TASKS.builtin(Dyck.name, Dyck)
