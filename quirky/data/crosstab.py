"""How many claims have each combination of truth and quirk."""

from collections import Counter
from collections.abc import Mapping

from datasets import Dataset

Crosstab = Mapping[bool, Counter[tuple[bool, bool]]]
"""By polarity (True first), the number of claims for each (truth, quirk)."""
POLARITY_NAMES = {True: "affirmative", False: "negated"}


def crosstab(*splits: Dataset) -> Crosstab:
    """Count the claims of some splits, each once for all its contexts and templates."""
    verdicts: dict[str, tuple[bool, bool, bool]] = {}
    for split in splits:
        columns = (split[name] for name in ("question_id", "polarity", "truth", "quirk"))
        for question_id, *verdict in zip(*columns, strict=True):
            verdicts[question_id] = tuple(verdict)
    counts = Counter(verdicts.values())
    polarities = sorted({polarity for polarity, _, _ in counts}, reverse=True)
    return {
        polarity: Counter({(t, q): n for (p, t, q), n in counts.items() if p == polarity})
        for polarity in polarities
    }
