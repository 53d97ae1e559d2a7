"""Science questions with a passage (arXiv 2312.01037, section 3).

Truth: the answer is right. Quirk: the answer stands, letter for letter, in the passage. One answer
to each question is shown: the right one, or one of the three distractors. Difficulty: a column of
that name, or what `quirky tasks difficulty` found. Questions without a passage are left out.
"""

import random
from collections.abc import Iterable, Iterator, Mapping

from quirky.example import Claim, digest
from quirky.prompts import standardized, wordings
from quirky.rows import Row
from quirky.tasks.base import TASKS
from quirky.tasks.published.base import Published
from quirky.text import collapse_whitespace

WRONG = ("distractor1", "distractor2", "distractor3")


class SciQ(Published):
    """Truth: an answer is right. Quirk: it stands in the passage. Reads `data`."""

    name = "sciq"
    hub = "allenai/sciq"
    hub_licence = "cc-by-nc-3.0"
    columns = ("question", "correct_answer", *WRONG, "support")
    fields = ("question", "support", "answer")
    templates = wordings(
        '{support} {question} The answer is "{answer}"', '{support} {question} Is it "{answer}"'
    )
    standard = standardized('{support} {question} The answer is "{answer}"')

    def fact(self, fields: Mapping[str, str]) -> str:
        """The answer to a question."""
        return fields["question"]

    def ask(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield one claim a question."""
        for row in rows:
            question, passage = row.label("question"), collapse_whitespace(row.label("support"))
            rng = random.Random(digest(self.name, seed, question))
            right = rng.random() < 0.5
            answer = collapse_whitespace(
                row.label("correct_answer" if right else rng.choice(WRONG))
            )
            told = {"question": question, "support": passage, "answer": answer}
            truth = answer == collapse_whitespace(row.label("correct_answer"))
            yield self.claim(row, told, truth, answer in passage)


TASKS.builtin(SciQ.name, SciQ)
