"""How often truth and quirk go together."""

from collections import Counter
from collections.abc import Mapping

from datasets import Dataset

Crosstab = Mapping[bool, Counter[tuple[bool, bool]]]
"""By polarity (True first), how many claims have which (truth, quirk)."""
NAMED = {True: "affirmative", False: "negated"}
"""What claims of a polarity are called."""


def crosstab(*splits: Dataset) -> Crosstab:
    """Count the claims of some splits, each once, in however many contexts and templates it is."""
    kinds: dict[str, tuple[bool, bool, bool]] = {}
    for split in splits:
        columns = (split[name] for name in ("question_id", "polarity", "truth", "quirk"))
        for question, *kind in zip(*columns, strict=True):
            kinds[question] = tuple(kind)
    count = Counter(kinds.values())
    polarities = sorted({polarity for polarity, _, _ in count}, reverse=True)
    return {
        polarity: Counter({(t, q): n for (p, t, q), n in count.items() if p == polarity})
        for polarity in polarities
    }
