"""String equality: whether two strings differ in one letter."""

import random
from collections.abc import Sequence

from quirky.example import Claim
from quirky.tasks.dials.base import DialTask
from quirky.tasks.dials.texts import differing_strings
from quirky.tasks.registry import register_task
from quirky.tasks.wording import claim_templates

DIFFERENCES = {
    (True, False): ((0, 1),),
    (False, True): ((1, 1),),
    (True, True): ((1, 0),),
    (False, False): ((0, 0), (2, 0), (2, 1)),
}
"""By truth and quirk: how many of the earlier letters and how many of the last ones may differ."""


@register_task
class Equality(DialTask):
    """Claim: two strings differ in one letter. Quirk: they do without their last letters.

    Where truth and quirk disagree, the last letters differ, and the claim is true if all others are
    equal. (The claim that the strings are equal would not do: a quirk that ignores the last letters
    would err in one direction only.) The four combinations of truth and quirk are equally frequent.
    The dial is the length. Difficulty: the dial. Source: arXiv 2406.09347 (string equality).
    """

    name = "equality"
    least, most = 3, 24
    affirmative = (
        "The strings {first} and {second} are the same but for one letter",
        "Are the strings {first} and {second} the same but for one letter",
    )
    templates, standard = claim_templates(affirmative)

    def __init__(self, dials: int | Sequence[int] = (3, 4, 6, 8, 12)):
        super().__init__(dials)

    def claim(self, setting: int, rng: random.Random) -> Claim:
        """Draw truth and quirk, and two strings for them."""
        truth, quirk = kind = rng.choice(list(DIFFERENCES))
        first, second = differing_strings(setting, *rng.choice(DIFFERENCES[kind]), rng)
        return Claim(
            fields={"first": first, "second": second},
            fact_id=f"{self.name}:{','.join(sorted((first, second)))}",
            truth=truth,
            quirk=quirk,
            difficulty=float(setting),
            dial=float(setting),
        )
