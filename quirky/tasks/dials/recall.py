"""Associative recall: what stands beside a key."""

import random
from collections.abc import Sequence

from quirky.prompts import standardized, wordings
from quirky.tasks.base import TASKS
from quirky.tasks.dials.base import LETTERS, AnswerTask, Question


class Recall(AnswerTask):
    """Truth: it is the value of that key. Quirk: it is the value of the key second nearest to it.

    Keys are letters, and nearness is that in the alphabet: the nearest key is the one that is
    asked for, the second nearest the one next to it, before or after, on one side only. Values are
    digits that all differ. The dial is the number of pairs. A wrong answer is another pair's value;
    with two pairs, a digit that is not there. Difficulty: the dial. Source: arXiv 2406.09347
    (nearest neighbour).
    """

    name = "recall"
    least, most = 2, 10
    affirmative = ("With {pairs}, {key} has {answer}", "With {pairs}, does {key} have {answer}")
    templates = wordings(*affirmative)
    standard = standardized(affirmative[0])

    def __init__(self, dials: Sequence[int] = (2, 3, 4, 6, 9)):
        super().__init__(dials)

    def question(self, setting: int, rng: random.Random) -> Question:
        """Draw `setting` pairs and one of their keys, whose nearest neighbour is but one."""
        values = rng.sample("0123456789", setting)
        while True:
            keys = rng.sample(LETTERS, setting)
            asked = rng.randrange(setting)
            away = [abs(ord(key) - ord(keys[asked])) or 99 for key in keys]
            if away.count(min(away)) == 1:
                break
        right, liars = values[asked], values[away.index(min(away))]
        pool = values if setting > 2 else "0123456789"
        others = [value for value in pool if value not in (right, liars)]
        pairs = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
        return Question({"pairs": pairs, "key": keys[asked]}, right, liars, others)


TASKS.builtin(Recall.name, Recall)
