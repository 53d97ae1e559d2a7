"""What the text of a task's claims gives away about their truth, without any model."""

from collections.abc import Mapping

import numpy as np
from datasets import Dataset, concatenate_datasets

from benchmarks.metrics.estimates import Estimate, auroc_estimate, subset_mask
from benchmarks.scoring.controls import text_scores
from quirky.contexts import in_context
from quirky.data.dataset import columns_of

LEAKY_ABOVE = 0.6
"""A task is leaky if the text alone has a larger AUROC in B where truth and quirk disagree. Cells
of leaky tasks have a mean of their own."""
PLACES = (("A", "all"), ("A", "disagree"), ("B", "disagree"))
"""Context and subset in which the text-only baseline is measured."""


def measure_leakage(splits: Mapping[str, Dataset]) -> dict[tuple[str, str], Estimate]:
    """Return the AUROC against the truth of the text-only baseline, by context and subset.

    It is fitted in A on train and validation, as in a run, and scored on the facts of test.

    Args:
        splits: of a data set, as `quirky.data.dataset.build_dataset` returns them.
    """
    fit = columns_of(concatenate_datasets([splits["train"], splits["validation"]]))
    in_a = in_context(fit, "A")
    test = columns_of(splits["test"])
    scores = text_scores(
        fit["prompt"][in_a].tolist(), fit["label"][in_a].astype(bool), test["prompt"].tolist()
    )
    estimates = {}
    for context, subset in PLACES:
        truth, quirk, withheld = (test[n].astype(bool) for n in ("truth", "quirk", "withheld"))
        mask = in_context(test, context) & subset_mask(truth, quirk, withheld, subset)
        facts = test["fact_id"][mask]
        estimates[context, subset] = auroc_estimate(scores[mask], truth[mask], facts)
    return estimates


def is_leaky(text: Estimate | None) -> bool:
    """Return whether the text alone, in B where truth and quirk disagree, makes a task leaky."""
    return text is not None and not np.isnan(text.value) and text.value > LEAKY_ABOVE
