"""Does one sentence follow from another? (arXiv 2312.01037, section 3.)

Truth: the premise entails the hypothesis. Neutral pairs are dropped, so all other pairs are
contradictions. Quirk: the hypothesis has no negation word (arXiv 1803.02324). As in the published
task, these are not, nobody, no, never, nothing and none, where they stand between white space, in
any case: "It is not." has none of them. Claims show both sentences without their final full stop;
the quirk is that of the hypothesis with it. Difficulty: a column of that name, or the file that
`quirky tasks difficulty` writes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from quirky.example import Claim
from quirky.plugins import unknown
from quirky.sources.rows import Row
from quirky.tasks.published.base import PublishedTask
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates

LABELS = {
    **{"entailment": True, "contradiction": False, "neutral": None, "-": None},
    **{"0": True, "2": False, "1": None, "-1": None},
}
"""By name, or by number as in SNLI; "-" and -1 mean that the annotators disagreed."""
PUBLISHED_WORDS = frozenset({"not", "nobody", "no", "never", "nothing", "none"})
_EXTENDED = re.compile(r"\b(no|not|nobody|nothing|never|none|nowhere|neither|nor|cannot)\b|n't\b")


def _has_published_word(hypothesis: str) -> bool:
    return not PUBLISHED_WORDS.isdisjoint(hypothesis.lower().split())


def _has_extended_word(hypothesis: str) -> bool:
    return _EXTENDED.search(hypothesis.lower()) is not None


HAS_NEGATION: dict[str, Callable[[str], bool]] = {
    "published": _has_published_word,
    "extended": _has_extended_word,
}
"""By value of `negation_words`: whether a hypothesis has one."""


@register_task
class NLI(PublishedTask):
    """Truth: a sentence follows from another. Quirk: it has no negation word. Reads `data`.

    Args:
        negation_words: `published`: the six of the published task, between white space; `extended`:
            also nowhere, neither, nor, cannot and n't, and next to punctuation.
        data: as all further parameters, see `DatasetTask`.

    Raises:
        ValueError: one line, if `negation_words` is unknown, or a file does not exist or cannot be
            used.
    """

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

    def __init__(
        self,
        negation_words: str = "published",
        data: str | None = None,
        revision: str | None = None,
        split: str | None = None,
        config: str | None = None,
        difficulty: str | None = None,
    ):
        super().__init__(data, revision, split, config, difficulty)
        if negation_words not in HAS_NEGATION:
            what = f"value of `negation_words` for task {self.name}:"
            raise unknown(what, negation_words, HAS_NEGATION)
        self.has_negation = HAS_NEGATION[negation_words]
        if negation_words != "published":
            self.changed_rule = f"negation_words = {negation_words!r}"

    def fact_key(self, fields: Mapping[str, str]) -> str:
        """Return the premise."""
        return fields["premise"]

    def claims_from(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield one claim for each pair that is not neutral."""
        for row in rows:
            truth = row.one_of("label", LABELS)
            texts = {name: row.label(name).rstrip(". ") for name in self.field_names}
            if truth is not None and all(texts.values()):
                quirk = not self.has_negation(row.label("hypothesis"))
                yield self.claim(row, texts, truth, quirk)
