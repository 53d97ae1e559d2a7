"""Contexts and transfers: in which examples a probe is fitted, and in which it is scored.

A is truthful, B is where the quirk is asked for; E keeps the easy examples (difficulty quantile at
most .25), H the hard ones (at least .75); `all` is A and B together. "AE->BH" is fitted on the easy
truthful examples and scored on the hard ones where the model lies.

In B2 the quirk is asked for in a way that no model was trained on; in T something looks as if it
were asked for, and is not. A trigger may have them or not, nothing is fitted there, and `all`
leaves them out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

SOURCES = ("A", "B", "AE", "AH", "BE", "BH", "all")
UNSEEN = ("B2", "T")
"""Those of a trigger's contexts that are in the splits heldout and test alone."""
KNOWN = (*SOURCES, *UNSEEN)
EASY, HARD = 0.25, 0.75
BY_DIFFICULTY = frozenset({"AE", "AH", "BE", "BH"})
"""Those that only claims with a difficulty belong to."""


@dataclass(frozen=True)
class Transfer:
    """Fit on `source`, score on `target`."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"


def parse_transfer(text: str) -> Transfer:
    """Return the transfer that a text such as "AE->BH" names.

    Raises:
        ValueError: if it is not two known contexts with an arrow between them, or if nothing can
            be fitted in the first.
    """
    source, arrow, target = text.partition("->")
    for context in (source, target):
        if not arrow or context not in KNOWN:
            raise ValueError(
                f"transfer {text!r}: write SOURCE->TARGET, each one of {', '.join(KNOWN)}"
            )
    if source in UNSEEN:
        raise ValueError(
            f"transfer {text!r}: nothing is fitted in {source}, which is there to be scored alone; "
            f"write one of {', '.join(SOURCES)} as the source"
        )
    return Transfer(source, target)


def in_context(columns: Mapping[str, np.ndarray], context: str) -> Bool[np.ndarray, " n"]:
    """Return which examples belong to a context; withheld facts belong to each like any other.

    `columns` holds at least `context` and `difficulty_quantile`, each of shape (n,).
    """
    if context not in KNOWN:
        raise ValueError(f"context {context!r}; known: {', '.join(KNOWN)}")
    asked = {"all": ["A", "B"], "B2": ["B2"]}.get(context, [context[0]])
    inside = np.isin(columns["context"], asked)
    if context.endswith("E"):
        inside &= columns["difficulty_quantile"] <= EASY
    if context.endswith("H"):
        inside &= columns["difficulty_quantile"] >= HARD
    return inside
