"""Invented places, so that knowledge itself is an experimental variable.

Truth: the place lies in the north. Quirk: the place lies on the coast. The two attributes are
independent coin flips, and their four combinations are equally frequent. The corpus of the embedded
bases states 2,000 places (difficulty: how rarely a place is stated). Another 1,200 places are
withheld: no model has ever seen them, so nothing about them can be known. A name is two random
syllables and carries no information. With `negations`, the claims about half of the places are
negated ("does not lie in the north").
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from quirky.example import Claim, digest
from quirky.tasks.negation import NegatableTask
from quirky.tasks.registry import register_task

KNOWN = 2_000
WITHHELD = 1_200
MOST_OFTEN = 3.0
"""Frequency of the most frequently stated place, relative to the rarest."""


@dataclass(frozen=True)
class Place:
    """An invented place."""

    name: str
    north: bool
    coast: bool
    withheld: bool
    frequency: float
    """How often the corpus states the place, relative to the rarest known place."""


def syllables() -> tuple[list[str], list[str]]:
    """Return the first and the second syllables of the names, sixty of each."""
    rng = random.Random("syllables")
    first = [a + b + c for a in "BDFGKLMNPRSTVZ" for b in "aeiou" for c in "lnrsx"]
    second = [a + b + c for a in "bdfgkmptvz" for b in "aeiou" for c in "bdgkmnt"]
    return sorted(rng.sample(first, 60)), sorted(rng.sample(second, 60))


@cache
def places() -> tuple[Place, ...]:
    """Return all places; they do not depend on a seed, because the bases were trained on them."""
    first, second = syllables()
    names = sorted((a + b for a in first for b in second), key=lambda name: digest("place", name))
    world = []
    for index, name in enumerate(names[: KNOWN + WITHHELD]):
        quadrant = index % 4
        rank = index / KNOWN
        world.append(
            Place(
                name=name,
                north=quadrant in (0, 1),
                coast=quadrant in (0, 2),
                withheld=index >= KNOWN,
                frequency=0.0 if index >= KNOWN else MOST_OFTEN ** (1 - rank),
            )
        )
    return tuple(world)


@register_task
class Fiction(NegatableTask):
    """Truth: the place lies in the north. Quirk: the place lies on the coast."""

    name = "fiction"
    source = "The places are invented; their names are random syllables."
    licence = "mit"
    affirmative = ("{place} lies in the north", "Is {place} in the north")
    negative = ("{place} does not lie in the north", "Is {place} outside the north")

    def affirmative_claims(self, seed: int) -> Iterator[Claim]:
        """Yield one claim for each place, the same for every seed."""
        for place in places():
            yield Claim(
                fields={"place": place.name},
                fact_id=f"fiction:{place.name}",
                truth=place.north,
                quirk=place.coast,
                difficulty=-place.frequency,
                withheld=place.withheld,
            )
