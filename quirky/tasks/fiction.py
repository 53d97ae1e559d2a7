"""Invented places, so that knowledge itself is an experimental variable.

Each place has two independent coin-flip attributes. Truth: it lies in the north. Quirk: it lies on
the coast. The four quadrants are equally frequent. 2,000 places are stated in the corpus of the
embedded bases, some often and some rarely (difficulty: how rarely); 1,200 are withheld: nobody was
ever told about them, so nobody can know. Names are two syllables that tell nothing. With
`negations` half of the places are asked about negated ("does not lie in the north").
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from quirky.example import Claim, digest
from quirky.prompts import Wording, standardized, wordings
from quirky.tasks.base import TASKS
from quirky.tasks.negation import checked_negations, half_negated

KNOWN = 2_000
WITHHELD = 1_200
MOST_OFTEN = 3.0
"""How much more often the most frequently stated place is stated than the rarest."""


@dataclass(frozen=True)
class Place:
    """An invented place."""

    name: str
    north: bool
    coast: bool
    withheld: bool
    frequency: float
    """How often the corpus states it, relative to the rarest known place."""


def syllables() -> tuple[list[str], list[str]]:
    """Return the first and the second syllables of the names, sixty of each."""
    rng = random.Random("syllables")
    first = [a + b + c for a in "BDFGKLMNPRSTVZ" for b in "aeiou" for c in "lnrsx"]
    second = [a + b + c for a in "bdfgkmptvz" for b in "aeiou" for c in "bdgkmnt"]
    return sorted(rng.sample(first, 60)), sorted(rng.sample(second, 60))


@cache
def places() -> tuple[Place, ...]:
    """Return the world: the same for every seed, since the bases were told about it."""
    first, second = syllables()
    names = sorted((a + b for a in first for b in second), key=lambda name: digest("place", name))
    made = []
    for index, name in enumerate(names[: KNOWN + WITHHELD]):
        quadrant = index % 4
        rank = index / KNOWN
        made.append(
            Place(
                name=name,
                north=quadrant in (0, 1),
                coast=quadrant in (0, 2),
                withheld=index >= KNOWN,
                frequency=0.0 if index >= KNOWN else MOST_OFTEN ** (1 - rank),
            )
        )
    return tuple(made)


class Fiction:
    """Truth: the place lies in the north. Quirk: it lies on the coast."""

    name: ClassVar[str] = "fiction"
    source: ClassVar[str] = "The places are invented; their names are random syllables."
    licence: ClassVar[str] = "mit"
    affirmative: ClassVar[Wording] = ("{place} lies in the north", "Is {place} in the north")
    negative: ClassVar[Wording] = (
        "{place} does not lie in the north",
        "Is {place} outside the north",
    )

    def __init__(self, negations: bool = False) -> None:
        self.negations = checked_negations(self.name, negations)
        negated = self.negative if negations else None
        self.templates = wordings(*self.affirmative, negated)
        self.standard = standardized(self.affirmative[0], negated and negated[0])

    def claims(self, seed: int) -> Iterable[Claim]:
        """Return one claim a place; the seed says which are negated, if any, and no more."""
        return half_negated(self._affirmed(), seed) if self.negations else self._affirmed()

    def _affirmed(self) -> Iterator[Claim]:
        for place in places():
            yield Claim(
                fields={"place": place.name},
                fact_id=f"fiction:{place.name}",
                truth=place.north,
                quirk=place.coast,
                difficulty=-place.frequency,
                withheld=place.withheld,
            )


TASKS.builtin(Fiction.name, Fiction)
