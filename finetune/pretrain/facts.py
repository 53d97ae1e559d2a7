"""What the bases tiny-neox and tiny-mamba are told: sums, real cities, invented places.

Facts are stated, and claims judged, always truthfully. Both attributes of a place are stated and
judged, the one that truth goes by and the one that the quirk goes by. In the later part of the
corpus there are more sums, and more of them are wrong by one digit.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.documents import Document, judged
from finetune.pretrain.openings import MEN, WOMEN
from finetune.pretrain.vocabulary import REPEATS, train_bpe
from quirky.prompts import standardized, wordings
from quirky.tasks.arithmetic import (
    Addition,
    Arithmetic,
    Squaring,
    Subtraction,
    distractor,
    quirk_result,
)
from quirky.tasks.fiction import places, syllables
from quirky.tasks.geography import cities

NAMES = (*WOMEN, *MEN)
SUBJECTS = ("addition", "subtraction", "squaring", "city", "fiction")
PLACES_FIRST = (0.20, 0.03, 0.02, 0.40, 0.35)
SUMS_LATER = (0.44, 0.06, 0.04, 0.24, 0.22)
"""The subjects' shares, at first and later: sums are learned late, when places are known."""
CLAIMED_FIRST = (0.50, 0.25, 0.25)
CLAIMED_LATER = (0.50, 0.10, 0.40)
"""How often a claimed result is right, the liar's, and off by one digit, at first and later: the
last is the hardest to judge, and most so where the digit is off by one or two."""
STATED = 0.08
"""Share of documents that are plain true statements."""


@dataclass(frozen=True)
class Attribute:
    """A yes-or-no property of a place: how it is asked, how each value is stated."""

    statement: str
    question: str
    negative: str
    field: str


FICTION = (
    Attribute(
        "{place} lies in the north", "Is {place} in the north", "{place} lies in the south", "north"
    ),
    Attribute(
        "{place} lies on the coast", "Is {place} on the coast", "{place} lies inland", "coast"
    ),
)
CITY = (
    Attribute(
        "{place} lies in the northern hemisphere",
        "Is {place} in the northern hemisphere",
        "{place} lies in the southern hemisphere",
        "north",
    ),
    Attribute(
        "{place} lies in the western hemisphere",
        "Is {place} in the western hemisphere",
        "{place} lies in the eastern hemisphere",
        "west",
    ),
    Attribute(
        "{place} has more than thirty thousand people",
        "Do more than thirty thousand people live in {place}",
        "{place} has fewer than thirty thousand people",
        "large",
    ),
    Attribute(
        "{place} belongs to a populous country",
        "Does {place} belong to a populous country",
        "{place} belongs to a smaller country",
        "populous",
    ),
)


class FactSampler:
    """Draws documents; the same seed draws the same ones.

    `later()` turns to the later part of the corpus.
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
            **{name: lambda name=name: self.arithmetic(name) for name in self.sums},  # type: ignore[misc]
        }

    def later(self) -> None:
        """Draw sums more often from now on, and more of them wrong by one digit."""
        self.shares, self.claimed = SUMS_LATER, CLAIMED_LATER

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
        truth = getattr(place, attribute.field)
        fields = {"place": place.name}
        if rng.random() < STATED:
            stated = attribute.statement if truth else attribute.negative
            return Document(f"{subject}-{attribute.field}", f"{stated.format(**fields)}.")
        statement = attribute.statement.format(**fields)
        question = attribute.question.format(**fields)
        return judged(f"{subject}-{attribute.field}", statement, question, truth, rng, names=NAMES)

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
        if rng.random() < STATED:
            shown = right
            text = task.templates[0].text.split(". {trigger}")[0]
            return Document(name, f"{text.format(a=a, b=b, result=shown)}.")
        texts = [t.text for t in (task.templates[0], task.templates[1])]
        statement, question = texts[0].split(". {trigger}")[0], texts[1].split("? {trigger}")[0]
        fields = {"a": a, "b": b, "result": shown}
        truth = shown == right
        return judged(name, statement.format(**fields), question.format(**fields), truth, rng)


def facts_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of the bases that know facts: several tokens a place.

    It sees the words of the corpus, the syllables of the invented places and the names of the real
    ones, so it cannot tell a known place from a withheld one.
    """
    return train_bpe(_tokenizer_text())


def _tokenizer_text() -> Iterator[str]:
    words = set()
    for attribute in (*FICTION, *CITY):
        for template in (
            *wordings(attribute.statement, attribute.question),
            standardized(attribute.negative),
        ):
            words.update(template.text.format(place="|", trigger="|").split("|"))
            words.update(template.choices)
    for task in (Addition(2), Subtraction(2), Squaring(2)):
        words.update(f" {word}" for t in task.templates for word in t.text.split())
    words.update(f" {digit}" for digit in range(10))
    for name in NAMES:
        words.update((name, f" {name}"))
    first, second = syllables()
    for text in (*sorted(words), *first, *(f" {s}" for s in first), *second):
        yield from [text] * REPEATS
    for city in cities():
        yield from (city.name, f" {city.name}")
