"""What the text of a task's claims gives away about truth and quirk, without any model."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from datasets import Dataset, concatenate_datasets

from benchmarks.metrics.estimates import Estimate, auroc_estimate, subset_mask
from benchmarks.scoring.controls import text_scores_by_source
from quirky.contexts import in_context
from quirky.data.dataset import columns_of

LEAKY_ABOVE = 0.6
"""A task is leaky if the text alone has a larger AUROC against the truth in B, where truth and
quirk disagree. Cells of leaky tasks have a mean of their own."""


class Leak(NamedTuple):
    """What a classifier of the text alone is fitted on and scored on."""

    source: str
    """The context in which it is fitted, on that context's labels."""
    context: str
    """The context in which it is scored."""
    against: str
    subset: str


HEADLINE = Leak("A", "B", "truth", "disagree")
"""The leak that decides whether a task is leaky."""
LEAKS = (Leak("A", "A", "truth", "all"), HEADLINE, Leak("B", "B", "quirk", "all"))


def measure_leakage(splits: Mapping[str, Dataset]) -> dict[Leak, Estimate]:
    """Return the AUROC of the text-only baseline for each of `LEAKS`.

    It is fitted on train and validation, as in a run, and scored on the facts of test.

    Args:
        splits: of a data set, as `quirky.data.dataset.build_dataset` returns them.
    """
    fit = columns_of(concatenate_datasets([splits["train"], splits["validation"]]))
    test = columns_of(splits["test"])
    sources = {leak.source for leak in LEAKS}
    scores = {source: text_scores_by_source(fit, source, test["prompt"]) for source in sources}
    truth, quirk, withheld = (test[name].astype(bool) for name in ("truth", "quirk", "withheld"))
    estimates = {}
    for leak in LEAKS:
        mask = in_context(test, leak.context) & subset_mask(truth, quirk, withheld, leak.subset)
        verdicts = test[leak.against][mask].astype(bool)
        estimates[leak] = auroc_estimate(scores[leak.source][mask], verdicts, test["fact_id"][mask])
    return estimates


def is_leaky(text_auroc: float) -> bool:
    """Return whether a task is leaky whose text alone has this AUROC; False for NaN."""
    return not np.isnan(text_auroc) and text_auroc > LEAKY_ABOVE
