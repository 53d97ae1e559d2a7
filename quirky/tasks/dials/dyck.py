"""Bounded Dyck: how many brackets are open."""

import random
from collections.abc import Sequence

from quirky.prompts import standardized, wordings
from quirky.tasks.base import TASKS
from quirky.tasks.dials.base import AnswerTask, Question

PAIRS = (("(", ")"), ("[", "]"), ("<", ">"))
SHORTEST, LONGEST = 10, 17
"""Brackets in a text, drawn uniformly, whatever the dial."""


class Dyck(AnswerTask):
    """Claim: so many brackets are open. Truth: they are. Quirk: one fewer are.

    Brackets of three kinds, opened and closed in order. The dial is the depth that is reached and
    not exceeded. A wrong answer is another number from 0 to one more than the dial. Difficulty: the
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

    def __init__(self, dials: int | Sequence[int] = (1, 2, 3, 4, 6)):
        super().__init__(dials)

    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw brackets that go as deep as `setting` and no deeper, and ask how many are open."""
        while True:
            text, depths = _brackets(setting, rng)
            if max(depths) == setting:
                break
        depth = depths[-1]
        others = [str(d) for d in range(setting + 2) if d not in (depth, depth + 1)]
        return [Question({"brackets": " ".join(text)}, str(depth), str(depth + 1), others)]


def _brackets(most: int, rng: random.Random) -> tuple[list[str], list[int]]:
    """Draw brackets no deeper than `most`, and how many are open after each."""
    text: list[str] = []
    depths: list[int] = []
    still: list[str] = []
    for _ in range(rng.randint(SHORTEST, LONGEST)):
        if not still or (len(still) < most and rng.random() < 0.5):
            opening, closing = rng.choice(PAIRS)
            text.append(opening)
            still.append(closing)
        else:
            text.append(still.pop())
        depths.append(len(still))
    return text, depths


TASKS.builtin(Dyck.name, Dyck)
