"""Does one sentence follow from another? (arXiv 2312.01037, section 3.)

Truth: the premise entails the hypothesis. Neutral pairs are dropped, so all other pairs are
contradictions. Quirk: the hypothesis has no negation word (arXiv 1803.02324). Difficulty: a column
of that name, or the file that `quirky tasks difficulty` writes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from quirky.example import Claim
from quirky.sources.rows import Row
from quirky.tasks.published.base import PublishedTask
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates

LABELS = {
    **{"entailment": True, "contradiction": False, "neutral": None, "-": None},
    **{"0": True, "2": False, "1": None, "-1": None},
}
"""By name, or by number as in SNLI; "-" and -1 mean that the annotators disagreed."""
NEGATION = re.compile(r"\b(no|not|nobody|nothing|never|none|nowhere|neither|nor|cannot)\b|n't\b")


@register_task
class NLI(PublishedTask):
    """Truth: a sentence follows from another. Quirk: it has no negation word. Reads `data`."""

    name = "nli"
    hub_dataset = "stanfordnlp/snli"
    hub_licence = "cc-by-sa-4.0"
    columns = ("premise", "hypothesis", "label")
    field_names = ("premise", "hypothesis")
    templates, standard = claim_templates(
        (
            'From "{premise}" it follows that "{hypothesis}"',
            'Does it follow from "{premise}" that "{hypothesis}"',
        )
    )

    def fact_key(self, fields: Mapping[str, str]) -> str:
        """Return the premise."""
        return fields["premise"]

    def claims_from(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield one claim for each pair that is not neutral."""
        for row in rows:
            truth = row.one_of("label", LABELS)
            texts = {name: row.label(name).rstrip(". ") for name in self.field_names}
            if truth is not None and all(texts.values()):
                quirk = not NEGATION.search(texts["hypothesis"].lower())
                yield self.claim(row, texts, truth, quirk)
