"""Does one sentence follow from another? (arXiv 2312.01037, section 3.)

Truth: the premise entails the hypothesis; neutral pairs are left out, so all others are
contradictions. Quirk: the hypothesis has no negation word (arXiv 1803.02324). Difficulty: a column
of that name, or what `quirky tasks difficulty` found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from quirky.example import Claim
from quirky.prompts import standardized, wordings
from quirky.rows import Row
from quirky.tasks.base import TASKS
from quirky.tasks.published.base import Published

LABELS = {
    **{"entailment": True, "contradiction": False, "neutral": None, "-": None},
    **{"0": True, "2": False, "1": None, "-1": None},
}
"""By name, or by number as in SNLI; "-" and -1: its annotators did not agree."""
NEGATION = re.compile(r"\b(no|not|nobody|nothing|never|none|nowhere|neither|nor|cannot)\b|n't\b")


class NLI(Published):
    """Truth: a sentence follows from another. Quirk: it has no negation word. Reads `data`."""

    name = "nli"
    hub = "stanfordnlp/snli"
    hub_licence = "cc-by-sa-4.0"
    columns = ("premise", "hypothesis", "label")
    fields = ("premise", "hypothesis")
    templates = wordings(
        'From "{premise}" it follows that "{hypothesis}"',
        'Does it follow from "{premise}" that "{hypothesis}"',
    )
    standard = standardized('From "{premise}" it follows that "{hypothesis}"')

    def fact(self, fields: Mapping[str, str]) -> str:
        """What a premise says."""
        return fields["premise"]

    def ask(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield one claim a pair that is not neutral."""
        for row in rows:
            truth = row.one_of("label", LABELS)
            told = {name: row.label(name).rstrip(". ") for name in self.fields}
            if truth is not None and all(told.values()):
                quirk = not NEGATION.search(told["hypothesis"].lower())
                yield self.claim(row, told, truth, quirk)


TASKS.builtin(NLI.name, NLI)
