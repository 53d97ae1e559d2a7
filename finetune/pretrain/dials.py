"""What the bases dial-neox and dial-mamba are told: lists, pairs, brackets, strings.

Both what the truth goes by and what the quirk goes by are stated and judged. An answer is
completed (the last word is what there is to know) or judged. One thing comes after the other:
to find items and values in long lists, to compare two letters, to judge claims about short strings
and lists, the quirks, longer ones, depths. Then all is drawn, and most answers are judged, one
claim a text. dial-neox had two more parts: before that, what stands beside a letter or behind an
item; and in the midst of it, short lists and strings. Told of all from the start, or in another
order, these bases were long in learning it: dial-neox did not compare letters after 150 thousand
texts. Smaller settings of the dials are drawn more often.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.dial_parts import PARTS
from finetune.pretrain.documents import (
    Document,
    about_opening,
    about_person,
    chained,
    completed,
    judged,
)
from finetune.pretrain.openings import draw_opening
from finetune.pretrain.vocabulary import common_texts, repeated, train_bpe
from quirky.prompts import Wording
from quirky.tasks.dials.base import AnswerTask, Question
from quirky.tasks.dials.dyck import Dyck
from quirky.tasks.dials.equality import Equality
from quirky.tasks.dials.lookup import Lookup
from quirky.tasks.dials.recall import Recall
from quirky.tasks.dials.texts import differing_strings

LONGEST = 6
"""Answers in a row."""
SHORT = (1, 2, 3, 4)
"""Lengths of strings of which several pairs are compared."""
COMPARED = 5
"""Pairs in a row."""
OFTENER = 0.7
"""How often a setting is drawn, relative to the next smaller one."""
SMALLER = {"lookup": (2,), "recall": (), "dyck": (1,), "equality": (1, 2)}
"""Settings below those of the tasks, by which a base learns what it is about."""
ANSWERS: dict[str, tuple[Wording, Wording]] = {
    "lookup": (
        Lookup.affirmative,
        (
            "In the list {items}, the item after item {index} is {answer}",
            "In the list {items}, is the item after item {index} {answer}",
        ),
    ),
    "recall": (
        Recall.affirmative,
        (
            "Among {pairs} there is beside {key} {answer}",
            "Among {pairs}, is there beside {key} {answer}",
        ),
    ),
    "dyck": (
        Dyck.affirmative,
        (
            "The brackets {brackets} are almost {answer} deep",
            "Are the brackets {brackets} almost {answer} deep",
        ),
    ),
}
"""How the truth's answer is claimed, and the quirk's."""
CHAINS: dict[str, tuple[str, Wording]] = {
    "lookup": (
        "In the list {items},",
        (" item {index} is", " the item after item {index} is"),
    ),
    "recall": ("Among {pairs}", (" there is {key}", " there is beside {key}")),
}
"""Several claims about one thing: what they begin with, and each one."""
DIFFERENCES = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))
"""In how many earlier letters, and in how many last ones, two strings differ."""


@dataclass(frozen=True)
class Comparison:
    """What may be said of two strings, and of which differences it is true."""

    wording: Wording
    holds: Callable[[int, int], bool]


COMPARISONS = {
    "equality": Comparison(Equality.affirmative, lambda earlier, last: earlier + last == 1),
    "equality-quirk": Comparison(
        (
            "The strings {first} and {second} start the same but for one letter",
            "Do the strings {first} and {second} start the same but for one letter",
        ),
        lambda earlier, last: earlier == 1,
    ),
    "equality-same": Comparison(
        (
            "The strings {first} and {second} are the same",
            "Are the strings {first} and {second} the same",
        ),
        lambda earlier, last: earlier + last == 0,
    ),
}
"""The last is no task's: by it a base learns to compare."""


class DialSampler:
    """Draws documents, of the last part of the corpus; the same seed draws the same ones.

    `turn_to(part)` turns to another part, from 0.
    """

    def __init__(self, seed: int):
        self.rng = random.Random(f"dials-{seed}")
        self.turn_to(len(PARTS) - 1)
        self.answered: dict[str, AnswerTask] = {
            "lookup": Lookup(),
            "recall": Recall(),
            "dyck": Dyck(),
        }
        self.equality = Equality()
        self.draw_from: dict[str, Callable[[], Document]] = {
            **{name: lambda name=name: self.answer(name) for name in self.answered},  # type: ignore[misc]
            "equality": self.strings,
            "opening": lambda: about_opening(self.rng),
            "person": lambda: about_person(self.rng),
        }

    def turn_to(self, part: int) -> None:
        """Draw this part from now on."""
        self.part = PARTS[part]

    def __iter__(self) -> Iterator[Document]:
        while True:
            subjects, shares = zip(*self.part.shares.items(), strict=True)
            yield self.draw_from[self.rng.choices(subjects, shares)[0]]()

    def answer(self, name: str) -> Document:
        """Complete or judge the truth's answers or the quirk's: one, or several in a row."""
        rng, task = self.rng, self.answered[name]
        setting = self._setting(name, task.dials)
        asked = task.questions(setting, rng)
        if len(asked) > 1 and rng.random() < self.part.chained:
            return self._chain(name, setting, asked)
        quirk = rng.random() < self.part.quirk
        subject = f"{name}-quirk-{setting}" if quirk else f"{name}-{setting}"
        right, wrong = self._answers(asked[0], quirk)
        wording = ANSWERS[name][quirk]
        if rng.random() < self.part.completed:
            text = wording[0].partition(" {answer}")[0].format(**asked[0].fields)
            opening = draw_opening(rng)
            return completed(f"{subject}-completed", text, f" {right}", f" {wrong}", opening)
        holds = rng.random() < 0.5
        fields = {**asked[0].fields, "answer": right if holds else wrong}
        return self._judged(subject, wording, fields, holds)

    def _answers(self, asked: Question, quirk: bool) -> tuple[str, str]:
        """Return the right answer, by the truth's rule or by the quirk's, and a wrong one."""
        right, other = (asked.quirk, asked.right) if quirk else (asked.right, asked.quirk)
        wrong = self.rng.random() < 0.5 or not asked.others
        return right, other if wrong else self.rng.choice(asked.others)

    def _chain(self, name: str, setting: int, asked: list[Question]) -> Document:
        """Complete or judge one answer after the other, about one list or the same pairs."""
        rng = self.rng
        complete = rng.random() < self.part.completed
        head, forms = CHAINS[name]
        claims: list[tuple[str, str, str]] = []
        for question in rng.choices(asked, k=LONGEST):
            quirk = rng.random() < self.part.quirk
            right, wrong = self._answers(question, quirk)
            said = forms[quirk].format(**question.fields)
            if complete:
                claims.append((said, f" {right}", f" {wrong}"))
            else:
                holds = rng.random() < 0.5
                verdicts = (" True", " False") if holds else (" False", " True")
                claims.append((f"{said} {right if holds else wrong}.", *verdicts))
        subject = f"{name}-{setting}-{'completed' if complete else 'chained'}"
        return chained(subject, head.format(**asked[0].fields), claims)

    def strings(self) -> Document:
        """Judge what is said of two strings, or of several pairs of short ones."""
        rng = self.rng
        if rng.random() < self.part.chained:
            return self._strings_in_a_row()
        setting = self._setting("equality", self.equality.dials)
        name = self._comparison()
        fields, holds = self._compared(setting, COMPARISONS[name])
        return self._judged(f"{name}-{setting}", COMPARISONS[name].wording, fields, holds)

    def _strings_in_a_row(self) -> Document:
        rng = self.rng
        claims: list[tuple[str, str, str]] = []
        lengths = self.part.settings.get("equality", SHORT)
        for _ in range(COMPARED):
            said = COMPARISONS[self._comparison()]
            fields, holds = self._compared(rng.choice(lengths), said)
            verdicts = (" True", " False") if holds else (" False", " True")
            text = f"{said.wording[0].format(**fields)}."
            claims.append((f" {text}" if claims else text, *verdicts))
        return chained("equality-chained", "", claims)

    def _comparison(self) -> str:
        if self.rng.random() < self.part.quirk * 2 / 3:
            return "equality-quirk"
        return self.rng.choice(("equality", "equality-same"))

    def _compared(self, length: int, said: Comparison) -> tuple[dict[str, str], bool]:
        """Draw two strings of which something is true, or is not, and say whether it is."""
        rng = self.rng
        found: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for earlier, last in DIFFERENCES:
            if earlier < length:
                found[said.holds(earlier, last)].append((earlier, last))
        holds = rng.random() < 0.5 if found[True] and found[False] else bool(found[True])
        first, second = differing_strings(length, *rng.choice(found[holds]), rng)
        return {"first": first, "second": second}, holds

    def _judged(
        self, subject: str, wording: Wording, fields: Mapping[str, str], holds: bool
    ) -> Document:
        statement, question = (text.format(**fields) for text in wording)
        opening = draw_opening(self.rng)
        return judged(subject, statement, question, holds, self.rng, opening)

    def _setting(self, name: str, dials: tuple[int, ...]) -> int:
        drawn = self.part.settings.get(name, (*SMALLER[name], *dials))
        return self.rng.choices(drawn, [OFTENER**rank for rank in range(len(drawn))])[0]


def dials_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of the bases that know the dials: a letter, a bracket is one token."""
    drawn = [document.text for document in islice(DialSampler(0), 3_000)]
    return train_bpe(repeated([*common_texts(), *drawn]))
