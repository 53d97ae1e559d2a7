"""Controls: the text-only baseline, and fits on shuffled labels."""

import random
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.store.datasets import Columns
from quirky.contexts import in_context


def text_scores(
    fit_prompts: Sequence[str], labels: Bool[np.ndarray, " m"], prompts: Sequence[str]
) -> Float[np.ndarray, " n"]:
    """Return log-odds of a logistic regression on character n-grams (1 to 4) of the prompts.

    It sees the letters alone, so its AUROC is what a probe could reach without the model. Names of
    real places predict much of where they are; invented names predict nothing.

    Args:
        fit_prompts: prompts that it is fitted on.
        labels: of these prompts.
        prompts: prompts that it scores.
    """
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2)
    reader = make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=1000))
    return reader.fit(list(fit_prompts), labels).decision_function(list(prompts))


def text_scores_by_source(
    columns: Columns, source: str, prompts: np.ndarray
) -> Float[np.ndarray, " n"]:
    """Return the scores of `text_scores`, fitted on the examples and labels of a source context."""
    inside = in_context(columns, source)
    labels = columns["label"][inside].astype(bool)
    return text_scores(columns["prompt"][inside].tolist(), labels, prompts.tolist())


def shuffle_labels(
    labels: Bool[np.ndarray, " n"], seed: int, question: Int[np.ndarray, " n"] | None = None
) -> Bool[np.ndarray, " n"]:
    """Return the labels in a seeded random order, so that a fit on them learns nothing.

    Examples of one `question` share a label, before and after.
    """
    if question is None:
        question = np.arange(len(labels))
    _, first, inverse = np.unique(question, return_index=True, return_inverse=True)
    order = list(range(len(first)))
    random.Random(f"shuffled-{seed}").shuffle(order)
    return labels[first][order][inverse]
