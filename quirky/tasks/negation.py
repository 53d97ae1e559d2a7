"""Negated claims: does a probe that reads the truth also read it of a negated claim?

A negated claim is true where the affirmative claim is false, by the truth rule and by the quirk
rule. It keeps its `fact_id`, so both forms are in the same split, and has `polarity=False`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from quirky.example import Claim, uniform
from quirky.prompts import Wording
from quirky.tasks.base import Task
from quirky.tasks.wording import claim_templates


class NegatableTask(Task):
    """A task that can negate its claims; a subclass sets both wordings of a claim.

    Args:
        negations: whether to negate the claims about half of the facts.

    Raises:
        ValueError: if `negations` is neither true nor false.
    """

    can_negate = True
    affirmative: ClassVar[Wording]
    negative: ClassVar[Wording]

    def __init__(self, negations: bool = False):
        if not isinstance(negations, bool):
            raise ValueError(f"task {self.name}: negations = {negations!r}; give true or false")
        self.negations = negations
        self.templates, self.standard = claim_templates(
            self.affirmative, self.negative if negations else None
        )

    @abstractmethod
    def affirmative_claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims, none of them negated."""

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims; with `negations`, those about half of the facts are negated."""
        claims = self.affirmative_claims(seed)
        return negate_half(claims, seed) if self.negations else claims


def negate_half(claims: Iterable[Claim], seed: int) -> Iterator[Claim]:
    """Negate the claims about half of the facts, drawn by a hash of the seed and the fact."""
    for claim in claims:
        yield negate(claim) if uniform("negated", seed, claim.fact_id) < 0.5 else claim


def negate(claim: Claim) -> Claim:
    """Return the negation of an affirmative claim."""
    return replace(claim, truth=not claim.truth, quirk=not claim.quirk, polarity=False)
