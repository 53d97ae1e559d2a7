"""Negated claims: whether what reads the truth reads it of a claim that something is not so.

A negated claim is true where the affirmative one is false, for the liar too. It keeps the fact, so
nobody meets a fact in two splits, and says in `polarity` that it is negated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from quirky.example import Claim, uniform


def checked_negations(task: str, negations: object) -> bool:
    """Return a task's parameter `negations`.

    Raises:
        ValueError: if it is neither true nor false.
    """
    if not isinstance(negations, bool):
        raise ValueError(f"task {task}: negations = {negations!r}; give true or false")
    return negations


def half_negated(claims: Iterable[Claim], seed: int) -> Iterator[Claim]:
    """Yield the claims, those about half of the facts negated: drawn by hash of seed and fact."""
    for claim in claims:
        yield negated(claim) if uniform("negated", seed, claim.fact_id) < 0.5 else claim


def negated(claim: Claim) -> Claim:
    """Return the claim that an affirmative one is not so."""
    return replace(claim, truth=not claim.truth, quirk=not claim.quirk, polarity=False)
