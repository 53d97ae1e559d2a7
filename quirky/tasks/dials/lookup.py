"""Index lookup: which item is at an index of a list."""

import random
from collections.abc import Sequence

from quirky.tasks.dials.base import LETTERS, AnswerTask, Question
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates


@register_task
class Lookup(AnswerTask):
    """Claim: item 2 of a list is k. Truth: it is. Quirk: the next item is k.

    The first item follows the last one, so neither the index nor the position of the answer carries
    information by itself. The dial is the length of the list; all its items differ. A wrong answer
    is another item. Difficulty: the dial. Source: arXiv 2406.09347 (index lookup).
    """

    name = "lookup"
    least, most = 3, 16
    affirmative = (
        "In the list {items}, item {index} is {answer}",
        "In the list {items}, is item {index} {answer}",
    )
    templates, standard = claim_templates(affirmative)

    def __init__(self, dials: int | Sequence[int] = (3, 4, 6, 8, 12)):
        super().__init__(dials)

    def questions(self, setting: int, rng: random.Random) -> list[Question]:
        """Draw a list of `setting` letters, with a question for each of its items."""
        items = rng.sample(LETTERS, setting)
        return [_question(items, index) for index in rng.sample(range(setting), setting)]


def _question(items: Sequence[str], index: int) -> Question:
    text = " ".join(items)
    right, quirk = items[index], items[(index + 1) % len(items)]
    return Question(
        fields={"items": text, "index": str(index + 1)},
        subject=text,
        right=right,
        quirk=quirk,
        others=[item for item in items if item not in (right, quirk)],
    )
