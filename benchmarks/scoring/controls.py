"""What a probe must beat: readers that never see a hidden state, and labels that mean nothing."""

import random
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def text_scores(
    fitted_on: Sequence[str], labels: Bool[np.ndarray, " m"], scored: Sequence[str]
) -> Float[np.ndarray, " n"]:
    """Return log-odds of a logistic regression on character n-grams (1 to 4) of the prompts.

    It knows no more than the letters: what it reaches is what a probe could have without the
    model. Names of real places tell much of where they are, invented ones nothing.
    """
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2)
    reader = make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=1000))
    return reader.fit(list(fitted_on), labels).decision_function(list(scored))


def shuffled(
    labels: Bool[np.ndarray, " n"], seed: int, question: Int[np.ndarray, " n"] | None = None
) -> Bool[np.ndarray, " n"]:
    """Return the labels in a seeded random order: a fit on them learns nothing of the labels.

    Examples of one `question`, which have one label, keep having one.
    """
    if question is None:
        question = np.arange(len(labels))
    _, first, of = np.unique(question, return_index=True, return_inverse=True)
    order = list(range(len(first)))
    random.Random(f"shuffled-{seed}").shuffle(order)
    return labels[first][order][of]
