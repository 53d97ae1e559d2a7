"""Contexts and transfers: on which examples a probe is fitted, and on which it is scored.

In A the model is truthful, in B its quirk is triggered. AE and BE keep the easy examples
(difficulty quantile at most .25), AH and BH the hard ones (at least .75); `all` is A and B
together. "AE->BH" means: fit on easy truthful examples, score on hard examples where the model
lies.

In B2 the quirk is triggered in a way that no model was trained on; T holds decoys, which resemble
the trigger. A trigger may lack either. They are scored but never fitted, and `all` excludes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from quirky.plugins import unknown

SOURCES = ("A", "B", "AE", "AH", "BE", "BH", "all")
"""Contexts that a probe can be fitted in."""
UNSEEN = ("B2", "T")
"""Contexts that occur only in the splits heldout and test."""
TARGETS = (*SOURCES, *UNSEEN)
"""Contexts that a probe can be scored in."""
EASY, HARD = 0.25, 0.75
BY_DIFFICULTY = frozenset({"AE", "AH", "BE", "BH"})
"""Contexts that select claims by their difficulty."""


@dataclass(frozen=True)
class Transfer:
    """Fit on `source`, score on `target`."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"


def parse_transfer(text: str) -> Transfer:
    """Return the transfer of a text such as "AE->BH".

    Raises:
        ValueError: if it is not SOURCE->TARGET, or if no probe is fitted in the source.
    """
    source, arrow, target = text.partition("->")
    for context in (source, target):
        if not arrow or context not in TARGETS:
            raise ValueError(
                f"transfer {text!r}: write SOURCE->TARGET, each one of {', '.join(TARGETS)}"
            )
    if source in UNSEEN:
        raise ValueError(
            f"transfer {text!r}: no probe is fitted in {source}, which is only scored; "
            f"write one of {', '.join(SOURCES)} as the source"
        )
    return Transfer(source, target)


def in_context(columns: Mapping[str, np.ndarray], context: str) -> Bool[np.ndarray, " n"]:
    """Return a mask of the examples of a context, withheld facts included.

    Args:
        columns: at least `context` and `difficulty_quantile`, each of shape (n,).
        context: one of `TARGETS`.

    Raises:
        ValueError: if the context is unknown.
    """
    if context not in TARGETS:
        raise unknown("context", context, TARGETS)
    contexts = {"all": ["A", "B"], "B2": ["B2"]}.get(context, [context[0]])
    mask = np.isin(columns["context"], contexts)
    if context.endswith("E"):
        mask &= columns["difficulty_quantile"] <= EASY
    if context.endswith("H"):
        mask &= columns["difficulty_quantile"] >= HARD
    return mask
