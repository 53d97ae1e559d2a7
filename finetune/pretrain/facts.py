"""What the bases tiny-neox and tiny-mamba are told: sums, real cities, invented places.

Facts are stated, and claims judged, always truthfully. Both attributes of a place are stated and
judged, the one that truth goes by and the one that the quirk goes by. One claim in six is negated.
Some texts ask what stood at their beginning, or say of a name whether it is a woman's or a man's.
In the later part of the corpus there are more sums, and more of them are wrong by one digit.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.documents import (
    Document,
    about_opening,
    about_person,
    judged,
    told,
)
from finetune.pretrain.openings import draw_opening
from finetune.pretrain.vocabulary import REPEATS, common_texts, repeated, train_bpe
from quirky.prompts import Wording, standardized, wordings
from quirky.tasks.arithmetic import (
    Addition,
    Arithmetic,
    Squaring,
    Subtraction,
    distractor,
    quirk_result,
)
from quirky.tasks.fiction import Fiction, places, syllables
from quirky.tasks.geography import Hemisphere, Population, cities

SUBJECTS = ("addition", "subtraction", "squaring", "city", "fiction", "opening", "person")
PLACES_FIRST = (0.19, 0.03, 0.02, 0.37, 0.32, 0.06, 0.01)
SUMS_LATER = (0.43, 0.05, 0.03, 0.23, 0.21, 0.04, 0.01)
"""The subjects' shares, at first and later: sums are learned late, when places are known."""
CLAIMED_FIRST = (0.50, 0.25, 0.25)
CLAIMED_LATER = (0.50, 0.10, 0.40)
"""How often a claimed result is right, the liar's, and off by one digit, at first and later: the
last is the hardest to judge, and most so where the digit is off by one or two."""
NEGATED = 1 / 6
"""Share of claims that are negated."""
STATED = 0.08
"""Share of documents that are plain true statements."""


@dataclass(frozen=True)
class Attribute:
    """A yes-or-no property of a place: the claim that it has it, that it has not, the opposite."""

    field: str
    claim: Wording
    negated: Wording
    opposite: str


FICTION = (
    Attribute("north", Fiction.affirmative, Fiction.negative, "{place} lies in the south"),
    Attribute(
        "coast",
        ("{place} lies on the coast", "Is {place} on the coast"),
        ("{place} does not lie on the coast", "Is {place} away from the coast"),
        "{place} lies inland",
    ),
)
CITY = (
    Attribute(
        "north",
        Hemisphere.affirmative,
        Hemisphere.negative,
        "{place} lies in the southern hemisphere",
    ),
    Attribute(
        "west",
        ("{place} lies in the western hemisphere", "Is {place} in the western hemisphere"),
        (
            "{place} does not lie in the western hemisphere",
            "Is {place} outside the western hemisphere",
        ),
        "{place} lies in the eastern hemisphere",
    ),
    Attribute(
        "large",
        Population.affirmative,
        Population.negative,
        "{place} has fewer than thirty thousand people",
    ),
    Attribute(
        "populous",
        ("{place} belongs to a populous country", "Does {place} belong to a populous country"),
        (
            "{place} does not belong to a populous country",
            "Does {place} belong to another kind of country",
        ),
        "{place} belongs to a smaller country",
    ),
)


class FactSampler:
    """Draws documents; the same seed draws the same ones.

    `turn_to(1)` turns to the later part of the corpus.
    """

    def __init__(self, seed: int):
        self.rng = random.Random(f"corpus-{seed}")
        self.shares = PLACES_FIRST
        self.claimed = CLAIMED_FIRST
        self.places = [place for place in places() if not place.withheld]
        self.frequencies = [place.frequency for place in self.places]
        by_size = sorted(cities(), key=lambda city: (-city.population, city.name))
        self.cities = by_size
        self.city_frequencies = [2.0 ** (1 - rank / len(by_size)) for rank in range(len(by_size))]
        self.sums: dict[str, Arithmetic] = {
            "addition": Addition(digits=2),
            "subtraction": Subtraction(digits=2),
            "squaring": Squaring(digits=2),
        }
        self.draw_from: dict[str, Callable[[], Document]] = {
            "city": lambda: self.about_place("city"),
            "fiction": lambda: self.about_place("fiction"),
            "opening": lambda: about_opening(self.rng),
            "person": lambda: about_person(self.rng),
            **{name: lambda name=name: self.arithmetic(name) for name in self.sums},  # type: ignore[misc]
        }

    def turn_to(self, part: int) -> None:
        """Draw sums more often in the later part, and more of them wrong by one digit."""
        self.shares = (PLACES_FIRST, SUMS_LATER)[part]
        self.claimed = (CLAIMED_FIRST, CLAIMED_LATER)[part]

    def __iter__(self) -> Iterator[Document]:
        while True:
            yield self.draw_from[self.rng.choices(SUBJECTS, self.shares)[0]]()

    def about_place(self, subject: str) -> Document:
        """Draw a place by how often it is told of, and one of its attributes."""
        rng = self.rng
        attribute = rng.choice(FICTION if subject == "fiction" else CITY)
        place = (
            rng.choices(self.places, self.frequencies)[0]
            if subject == "fiction"
            else rng.choices(self.cities, self.city_frequencies)[0]
        )
        holds = getattr(place, attribute.field)
        fields = {"place": place.name}
        subject = f"{subject}-{attribute.field}"
        if rng.random() < STATED:
            words = attribute.claim[0] if holds else attribute.opposite
            return told(subject, f"{words.format(**fields)}.", draw_opening(rng))
        return self.claimed_that(subject, attribute.claim, attribute.negated, fields, holds)

    def arithmetic(self, name: str) -> Document:
        """Draw operands, uniform in half of the draws and log-uniform in the others."""
        rng, task = self.rng, self.sums[name]
        a, b = task.operands(rng)
        if rng.random() < 0.5:
            a, b = rng.randrange(1, 100), rng.randrange(1, 100)
            b = a if name == "squaring" else b
        right = task.result(a, b)
        liars = quirk_result(right)
        claims = (right, liars, distractor(right, {right, liars}, rng))
        shown = rng.choices(claims, self.claimed)[0]
        fields = {"a": str(a), "b": str(b), "result": str(shown)}
        if rng.random() < STATED:
            words = task.affirmative[0].format(**{**fields, "result": str(right)})
            return told(name, f"{words}.", draw_opening(rng))
        return self.claimed_that(
            name, task.affirmative, task.negative, fields, holds=shown == right
        )

    def claimed_that(
        self, subject: str, claim: Wording, negated: Wording, fields: Mapping[str, str], holds: bool
    ) -> Document:
        """Claim that something holds, or that it does not, and judge it."""
        no = self.rng.random() < NEGATED
        statement, question = (text.format(**fields) for text in (negated if no else claim))
        subject = f"{subject}-negated" if no else subject
        opening = draw_opening(self.rng)
        return judged(subject, statement, question, holds != no, self.rng, opening)


def facts_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of the bases that know facts: several tokens a place.

    It sees the words of the corpus, the syllables of the invented places and the names of the real
    ones, so it cannot tell a known place from a withheld one.
    """
    return train_bpe(_tokenizer_text())


def _tokenizer_text() -> Iterator[str]:
    texts = common_texts()
    for attribute in (*FICTION, *CITY):
        for wording in (attribute.claim, attribute.negated):
            texts += [t.text for t in (*wordings(*wording), standardized(wording[0]))]
        texts.append(attribute.opposite)
    for task in (Addition, Subtraction, Squaring):
        texts += [*task.affirmative, *task.negative]
    first, second = syllables()
    cut = [text.replace("{place}", "").replace("{trigger}", "") for text in texts]
    yield from repeated([*cut, *map(str, range(10))])
    for text in (*first, *(f" {s}" for s in first), *second):
        yield from [text] * REPEATS
    for city in cities():
        yield from (city.name, f" {city.name}")
