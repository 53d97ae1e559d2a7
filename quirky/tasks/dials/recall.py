"""Associative recall: which value belongs to a key."""

import random
from collections.abc import Iterable, Mapping, Sequence

from quirky.tasks.dials.base import LETTERS, AnswerTask, Question
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates

DIGITS = "0123456789"


@register_task
class Recall(AnswerTask):
    """Claim: a key has a value. Truth: it has. Quirk: the second nearest key has it.

    Keys are letters, and distances are those in the alphabet: the nearest key is the queried one,
    the second nearest is the next one before or after it; keys with a tie are not queried. Values
    are distinct digits. The dial is the number of pairs. A wrong answer is the value of another
    pair; with two pairs it is a digit that does not occur, which shows without the key. Difficulty:
    the dial. Source: arXiv 2406.09347 (nearest neighbour).
    """

    name = "recall"
    least, most = 2, 10
    affirmative = (
        "Among {pairs} there is {key} {answer}",
        "Among {pairs}, is there {key} {answer}",
    )
    templates, standard = claim_templates(affirmative)

    def __init__(self, dials: int | Sequence[int] = (2, 3, 4, 6, 9)):
        super().__init__(dials)

    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw `setting` pairs, with a question for each key that has one nearest neighbour."""
        while True:
            values = rng.sample(DIGITS, setting)
            pairs = dict(zip(rng.sample(LETTERS, setting), values, strict=True))
            questions = [_question(pairs, key) for key in pairs if len(_nearest(pairs, key)) == 1]
            if questions:
                return rng.sample(questions, len(questions))


def _nearest(keys: Iterable[str], query: str) -> list[str]:
    """Return the keys next to `query` in the alphabet: one, or two if they tie."""
    distances = {key: abs(ord(key) - ord(query)) for key in keys if key != query}
    return [key for key, distance in distances.items() if distance == min(distances.values())]


def _question(pairs: Mapping[str, str], key: str) -> Question:
    right, quirk = pairs[key], pairs[_nearest(pairs, key)[0]]
    pool = pairs.values() if len(pairs) > 2 else DIGITS
    texts = [f"{key} {value}" for key, value in pairs.items()]
    return Question(
        fields={"pairs": ", ".join(texts), "key": key},
        subject=",".join(sorted(texts)),
        right=right,
        quirk=quirk,
        others=[value for value in pool if value not in (right, quirk)],
    )
