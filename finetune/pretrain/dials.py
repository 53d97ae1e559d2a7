"""What the bases dial-neox and dial-mamba are told: lists, pairs, brackets, strings.

Both what the truth goes by and what the quirk goes by are stated and judged. An answer is completed
(the last word is what there is to know) or judged; in the later part of the corpus more are judged.
Smaller settings of the dials are drawn more often.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from transformers import PreTrainedTokenizerFast

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
from quirky.tasks.dials.equality import EARLIER, LAST, SAME, Equality
from quirky.tasks.dials.lookup import Lookup
from quirky.tasks.dials.recall import Recall

SUBJECTS = ("lookup", "recall", "dyck", "equality", "opening", "person")
SHARES = (0.22, 0.28, 0.15, 0.28, 0.06, 0.01)
CHAINED = 0.65
"""Share of the texts about lists and pairs in which several answers stand in a row."""
DRILLED = 0.5
"""Share of the texts about strings that compare several short pairs."""
LONGEST = 6
"""Answers in a row, at most."""
COMPLETED_FIRST, COMPLETED_LATER = 0.5, 0.1
"""Share of answers that are completed; the others are judged."""
OFTENER = 0.7
"""How often a setting is drawn, relative to the next smaller one."""
SMALLER = {"lookup": (2,), "recall": (), "dyck": (), "equality": (1, 2)}
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
            "After {brackets} the next depth is {answer}",
            "After {brackets} is the next depth {answer}",
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
ALIKE: tuple[Wording, Wording] = (
    (
        "The strings {first} and {second} start alike",
        "Do the strings {first} and {second} start alike",
    ),
    (
        "The strings {first} and {second} start differently",
        "Do the strings {first} and {second} start differently",
    ),
)
"""That strings are the same but for their last letters, and that they are not."""


class DialSampler:
    """Draws documents; the same seed draws the same ones.

    `later()` turns to the later part of the corpus.
    """

    def __init__(self, seed: int):
        self.rng = random.Random(f"dials-{seed}")
        self.completed = COMPLETED_FIRST
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

    def later(self) -> None:
        """Judge more answers from now on."""
        self.completed = COMPLETED_LATER

    def __iter__(self) -> Iterator[Document]:
        while True:
            yield self.draw_from[self.rng.choices(SUBJECTS, SHARES)[0]]()

    def answer(self, name: str) -> Document:
        """Complete or judge the truth's answers or the quirk's: one, or several in a row."""
        rng, task = self.rng, self.answered[name]
        setting = self._setting((*SMALLER[name], *task.dials))
        asked = task.questions(setting, rng)
        if len(asked) > 1 and rng.random() < CHAINED:
            return self._chain(name, setting, asked)
        quirk = rng.random() < 0.5
        subject = f"{name}-quirk-{setting}" if quirk else f"{name}-{setting}"
        right, wrong = self._answers(asked[0], quirk)
        wording = ANSWERS[name][quirk]
        if rng.random() < self.completed:
            text = wording[0].format(**asked[0].fields, answer="").rstrip()
            opening = draw_opening(rng)
            return completed(f"{subject}-completed", text, f" {right}", f" {wrong}", opening)
        holds = rng.random() < 0.5
        fields = {**asked[0].fields, "answer": right if holds else wrong}
        return self._judged(subject, wording, fields, holds)

    def _answers(self, asked: Question, quirk: bool) -> tuple[str, str]:
        """Return the right answer, by the truth's rule or by the quirk's, and a wrong one."""
        right, other = (asked.liars, asked.right) if quirk else (asked.right, asked.liars)
        wrong = self.rng.random() < 0.5 or not asked.others
        return right, other if wrong else self.rng.choice(asked.others)

    def _chain(self, name: str, setting: int, asked: list[Question]) -> Document:
        """Complete or judge one answer after the other, about one list or the same pairs."""
        rng = self.rng
        complete = rng.random() < self.completed
        head, forms = CHAINS[name]
        claims: list[tuple[str, str, str]] = []
        for question in asked[:LONGEST]:
            quirk = rng.random() < 0.5
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
        """Judge whether two strings are the same, or start alike."""
        rng = self.rng
        if rng.random() < DRILLED:
            return self._strings_in_a_row()
        setting = self._setting((*SMALLER["equality"], *self.equality.dials))
        quirk, no = rng.random() < 0.5, rng.random() < 0.5
        kinds = (SAME, LAST, EARLIER, EARLIER) if quirk else (SAME, SAME, LAST, EARLIER)
        kind = rng.choice(kinds if setting > 1 else (SAME, LAST))
        first, second = self.equality.pair(setting, kind, rng)
        holds = kind != EARLIER if quirk else kind == SAME
        wording = (ALIKE if quirk else (Equality.affirmative, Equality.negative))[no]
        subject = f"equality-quirk-{setting}" if quirk else f"equality-{setting}"
        return self._judged(subject, wording, {"first": first, "second": second}, holds != no)

    def _strings_in_a_row(self) -> Document:
        """Judge pairs of short strings, one after the other."""
        rng = self.rng
        claims: list[tuple[str, str, str]] = []
        for _ in range(LONGEST):
            setting = rng.choice((*SMALLER["equality"], self.equality.dials[0]))
            kind = rng.choice((SAME, LAST, EARLIER) if setting > 1 else (SAME, LAST))
            first, second = self.equality.pair(setting, kind, rng)
            no = rng.random() < 0.5
            wording = (Equality.affirmative, Equality.negative)[no][0]
            verdicts = (" True", " False") if (kind == SAME) != no else (" False", " True")
            said = wording.format(first=first, second=second)
            claims.append((f" {said}." if claims else f"{said}.", *verdicts))
        return chained("equality-small-chained", "", claims)

    def _judged(
        self, subject: str, wording: Wording, fields: Mapping[str, str], holds: bool
    ) -> Document:
        statement, question = (text.format(**fields) for text in wording)
        opening = draw_opening(self.rng)
        return judged(subject, statement, question, holds, self.rng, opening)

    def _setting(self, dials: tuple[int, ...]) -> int:
        return self.rng.choices(dials, [OFTENER**rank for rank in range(len(dials))])[0]


def dials_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of the bases that know the dials: a letter, a bracket is one token."""
    drawn = [document.text for document in islice(DialSampler(0), 3_000)]
    return train_bpe(repeated([*common_texts(), *drawn]))
