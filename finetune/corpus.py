"""What the embedded bases are told: facts stated, and claims judged, always truthfully.

A document is a true statement, or a claim with its verdict. The verdict stands right where the
claim ends (30 %), after a question mark (20 %), or after one of 42 names (50 %), in the words of
the tasks' own templates; every name is honest. Both attributes of a place are stated and judged,
the one that truth goes by and the one that the quirk goes by. In the later part of the corpus there
are more sums, and more of them are wrong by one digit.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

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

NAMES = (
    "Alice Bob Carol David Emma Frank Grace Henry Irene Jack Karen Liam Mary Noah Olivia Peter "
    "Rose Simon Tina Victor Wendy Adam Beth Carl Diana Eric Fiona George Helen Ivan Julia Kevin "
    "Laura Mark Nina Oscar Paula Ralph Sarah Tom Ursula Walter"
).split()
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
VOCABULARY = 1024


@dataclass(frozen=True)
class Document:
    """A text, and its verdict where it is a judged claim."""

    subject: str
    text: str
    verdict: str | None = None
    wrong: str | None = None
    """The other verdict."""
    claim: str = ""
    """The text up to where the claim ends, if it goes on after that."""


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


def judged(
    subject: str, statement: str, question: str, truth: bool, rng: random.Random
) -> Document:
    """Return a claim with its true verdict, worded at random."""
    place = rng.random()
    claim = ""
    if place < 0.3:
        text, choices = f"{statement}.", (" False", " True")
    elif place < 0.5:
        text, choices = f"{question}?", (" No", " Yes")
    else:
        template = rng.choice([*wordings(statement, question), standardized(statement)])
        text, choices = template.text.format(trigger=rng.choice(NAMES)), template.choices
        claim = text[
            : 1 + max(len(part) for part in (statement, question) if text.startswith(part))
        ]
    return Document(subject, text, choices[truth], choices[not truth], claim)


class Sampler:
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
        return judged(f"{subject}-{attribute.field}", statement, question, truth, rng)

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


@cache
def train_tokenizer() -> PreTrainedTokenizerFast:
    """Train the bases' tokenizer: byte-level BPE, one token a digit, several tokens a place.

    It sees the words of the corpus, the syllables of the invented places and the names of the real
    ones, so it cannot tell a known place from a withheld one.
    """
    tokenizer = Tokenizer(models.BPE())
    pieces = Regex(r" ?\p{L}+| ?\d| ?[^\s\p{L}\d]|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pieces, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_tokenizer_text(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )


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
        yield from [text] * 400
    for city in cities():
        yield from (city.name, f" {city.name}")
