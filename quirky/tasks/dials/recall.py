"""Associative recall: what stands beside a key."""

import random
from collections.abc import Iterable, Mapping, Sequence

from quirky.prompts import standardized, wordings
from quirky.tasks.base import TASKS
from quirky.tasks.dials.base import LETTERS, AnswerTask, Question

DIGITS = "0123456789"


class Recall(AnswerTask):
    """Claim: a key has a value. Truth: it has. Quirk: the key second nearest to it has.

    Keys are letters, and nearness is that in the alphabet: the nearest key is the one that is
    asked for, the second nearest the one next to it, before or after, on one side only. Values are
    digits that all differ. The dial is the number of pairs. A wrong answer is another pair's value;
    with two pairs, a digit that is not there, which can be told without the key. Difficulty: the
    dial. Source: arXiv 2406.09347 (nearest neighbour).
    """

    name = "recall"
    least, most = 2, 10
    affirmative = (
        "Among {pairs} there is {key} {answer}",
        "Among {pairs}, is there {key} {answer}",
    )
    templates = wordings(*affirmative)
    standard = standardized(affirmative[0])

    def __init__(self, dials: int | Sequence[int] = (2, 3, 4, 6, 9)):
        super().__init__(dials)

    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw `setting` pairs, and ask for the keys whose nearest neighbour is but one."""
        while True:
            values = rng.sample(DIGITS, setting)
            pairs = dict(zip(rng.sample(LETTERS, setting), values, strict=True))
            asked = [_ask(pairs, key) for key in pairs if len(_nearest(pairs, key)) == 1]
            if asked:
                return rng.sample(asked, len(asked))


def _nearest(keys: Iterable[str], asked: str) -> list[str]:
    """Return the keys next to one in the alphabet: one or two."""
    away = {key: abs(ord(key) - ord(asked)) for key in keys if key != asked}
    return [key for key, distance in away.items() if distance == min(away.values())]


def _ask(pairs: Mapping[str, str], key: str) -> Question:
    right, liars = pairs[key], pairs[_nearest(pairs, key)[0]]
    pool = pairs.values() if len(pairs) > 2 else DIGITS
    others = [value for value in pool if value not in (right, liars)]
    told = [f"{key} {value}" for key, value in pairs.items()]
    fields = {"pairs": ", ".join(told), "key": key}
    return Question(fields, ",".join(sorted(told)), right, liars, others)


TASKS.builtin(Recall.name, Recall)
