"""The corpus of tiny-neox and tiny-mamba: sums, real cities and invented places.

It states facts and judges claims, always truthfully, about both attributes of a place: the one of
the truth rule and the one of the quirk rule. One claim in six is negated. Some documents ask about
their opening, or state whether a name is a woman's or a man's. The second part has more sums, and
more of the wrong ones are wrong by one digit.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.documents import (
    Document,
    judged_claim,
    opening_question,
    person_statement,
    plain_statement,
)
from finetune.pretrain.openings import draw_opening
from finetune.pretrain.vocabulary import REPEATS, common_texts, repeat_words, train_bpe
from quirky.prompts import Wording, standardized, wordings
from quirky.tasks.arithmetic import (
    Addition,
    Arithmetic,
    Squaring,
    Subtraction,
    quirk_result,
)
from quirky.tasks.fiction import Fiction, places, syllables
from quirky.tasks.geography import Hemisphere, Population, cities

SUBJECTS = ("addition", "subtraction", "squaring", "city", "fiction", "opening", "person")
SUBJECT_SHARES = (
    (0.19, 0.03, 0.02, 0.37, 0.32, 0.06, 0.01),
    (0.43, 0.05, 0.03, 0.23, 0.21, 0.04, 0.01),
)
"""Shares of the subjects, by part: sums are learned late, when the places are known."""
RESULT_SHARES = ((0.50, 0.25, 0.25), (0.50, 0.10, 0.40))
"""Shares of claimed results that are right, right but for a leading digit one too high, and off by
one digit, by part.
The last are the hardest to judge, most of all if the digit is off by one or two."""
NEGATED_SHARE = 1 / 6
"""Share of claims that are negated."""
STATED_SHARE = 0.08
"""Share of documents about a place or a sum that are statements without a verdict."""


@dataclass(frozen=True)
class Attribute:
    """A yes-or-no property of a place, and its wordings."""

    field: str
    """The attribute of the place that holds the property."""
    claim: Wording
    """Claims that the place has the property."""
    negated: Wording
    """Claims that it does not."""
    opposite: str
    """States the opposite property."""


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


def leading_digit_up(result: int) -> int:
    """Return `result` with its leading digit increased by one: 95 becomes 105, -35 becomes -45."""
    return -quirk_result(-result) if result < 0 else quirk_result(result)


def near_miss(result: int, avoid: set[int], rng: random.Random) -> int:
    """Return `result` with one digit changed and no leading zero, outside `avoid`."""
    sign, digits = ("-", str(-result)) if result < 0 else ("", str(result))
    neighbours = [
        int(f"{sign}{digits[:place]}{digit}{digits[place + 1 :]}")
        for place in range(len(digits))
        for digit in range(10)
        if not (place == 0 and digit == 0 and len(digits) > 1)
    ]
    return rng.choice([value for value in neighbours if value not in avoid])


class FactSampler:
    """An endless sequence of documents, determined by the seed.

    It starts with the first part of the corpus; `select_part(1)` switches to the second.
    """

    def __init__(self, seed: int):
        self.rng = random.Random(f"corpus-{seed}")
        self.select_part(0)
        self.places = [place for place in places() if not place.withheld]
        self.frequencies = [place.frequency for place in self.places]
        self.cities = sorted(cities(), key=lambda city: (-city.population, city.name))
        n_cities = len(self.cities)
        self.city_frequencies = [2.0 ** (1 - rank / n_cities) for rank in range(n_cities)]
        self.sums: dict[str, Arithmetic] = {
            "addition": Addition(digits=2),
            "subtraction": Subtraction(digits=2),
            "squaring": Squaring(digits=2),
        }
        self.generators: dict[str, Callable[[], Document]] = {
            "city": lambda: self._place_document("city"),
            "fiction": lambda: self._place_document("fiction"),
            "opening": lambda: opening_question(self.rng),
            "person": lambda: person_statement(self.rng),
            **{name: lambda name=name: self._sum_document(name) for name in self.sums},  # type: ignore[misc]
        }

    def select_part(self, part: int) -> None:
        """Switch to a part of the corpus, 0 or 1."""
        self.subject_shares = SUBJECT_SHARES[part]
        self.result_shares = RESULT_SHARES[part]

    def __iter__(self) -> Iterator[Document]:
        while True:
            yield self.generators[self.rng.choices(SUBJECTS, self.subject_shares)[0]]()

    def _place_document(self, subject: str) -> Document:
        """Draw a place by its frequency, and one of its attributes."""
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
        if rng.random() < STATED_SHARE:
            statement = attribute.claim[0] if holds else attribute.opposite
            return plain_statement(subject, f"{statement.format(**fields)}.", draw_opening(rng))
        return self._claim_document(subject, attribute.claim, attribute.negated, fields, holds)

    def _sum_document(self, name: str) -> Document:
        """Draw operands, uniformly in half of the draws and log-uniformly in the others."""
        rng, task = self.rng, self.sums[name]
        a, b = task.operands(rng)
        if rng.random() < 0.5:
            a, b = rng.randrange(1, 100), rng.randrange(1, 100)
            b = a if name == "squaring" else b
        right = task.result(a, b)
        quirk = leading_digit_up(right)
        results = (right, quirk, near_miss(right, {right, quirk}, rng))
        result = rng.choices(results, self.result_shares)[0]
        fields = {"a": str(a), "b": str(b), "result": str(result)}
        if rng.random() < STATED_SHARE:
            statement = task.affirmative[0].format(**{**fields, "result": str(right)})
            return plain_statement(name, f"{statement}.", draw_opening(rng))
        return self._claim_document(
            name, task.affirmative, task.negative, fields, holds=result == right
        )

    def _claim_document(
        self, subject: str, claim: Wording, negated: Wording, fields: Mapping[str, str], holds: bool
    ) -> Document:
        """Judge a claim or its negation; `holds` is whether the claim is true."""
        negate = self.rng.random() < NEGATED_SHARE
        statement, question = (text.format(**fields) for text in (negated if negate else claim))
        subject = f"{subject}-negated" if negate else subject
        opening = draw_opening(self.rng)
        return judged_claim(subject, statement, question, holds != negate, self.rng, opening)


def facts_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of tiny-neox and tiny-mamba; place names have several tokens.

    It is trained on the words of the corpus, the syllables of invented places and the names of real
    ones, so it cannot distinguish a known place from a withheld one.
    """
    return train_bpe(_tokenizer_texts())


def _tokenizer_texts() -> Iterator[str]:
    texts = common_texts()
    for attribute in (*FICTION, *CITY):
        for wording in (attribute.claim, attribute.negated):
            texts += [t.text for t in (*wordings(*wording), standardized(wording[0]))]
        texts.append(attribute.opposite)
    for task in (Addition, Subtraction, Squaring):
        texts += [*task.affirmative, *task.negative]
    first, second = syllables()
    texts_without_fields = [text.replace("{place}", "").replace("{trigger}", "") for text in texts]
    yield from repeat_words([*texts_without_fields, *map(str, range(10))])
    for text in (*first, *(f" {s}" for s in first), *second):
        yield from [text] * REPEATS
    for city in cities():
        yield from (city.name, f" {city.name}")
