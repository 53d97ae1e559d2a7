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
    completed,
    judged,
)
from finetune.pretrain.openings import draw_opening
from finetune.pretrain.vocabulary import common_texts, repeated, train_bpe
from quirky.prompts import Wording
from quirky.tasks.dials.base import AnswerTask
from quirky.tasks.dials.dyck import Dyck
from quirky.tasks.dials.equality import EARLIER, LAST, SAME, Equality
from quirky.tasks.dials.lookup import Lookup
from quirky.tasks.dials.recall import Recall

SUBJECTS = ("lookup", "recall", "dyck", "equality", "opening", "person")
SHARES = (0.27, 0.24, 0.17, 0.25, 0.06, 0.01)
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
            "With {pairs}, the neighbour of {key} has {answer}",
            "With {pairs}, does the neighbour of {key} have {answer}",
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
        """Complete or judge the truth's answer or the quirk's."""
        rng, task = self.rng, self.answered[name]
        setting = self._setting((*SMALLER[name], *task.dials))
        asked = task.question(setting, rng)
        quirk = rng.random() < 0.5
        right, other = (asked.liars, asked.right) if quirk else (asked.right, asked.liars)
        wrong = other if rng.random() < 0.5 or not asked.others else rng.choice(asked.others)
        subject = f"{name}-quirk-{setting}" if quirk else f"{name}-{setting}"
        wording = ANSWERS[name][quirk]
        if rng.random() < self.completed:
            text = wording[0].format(**asked.fields, answer="").rstrip()
            return completed(
                f"{subject}-completed", text, f" {right}", f" {wrong}", draw_opening(rng)
            )
        holds = rng.random() < 0.5
        fields = {**asked.fields, "answer": right if holds else wrong}
        return self._judged(subject, wording, fields, holds)

    def strings(self) -> Document:
        """Judge whether two strings are the same, or start alike."""
        rng = self.rng
        setting = self._setting((*SMALLER["equality"], *self.equality.dials))
        quirk, no = rng.random() < 0.5, rng.random() < 0.5
        kinds = (SAME, LAST, EARLIER, EARLIER) if quirk else (SAME, SAME, LAST, EARLIER)
        kind = rng.choice(kinds if setting > 1 else (SAME, LAST))
        first, second = self.equality.pair(setting, kind, rng)
        holds = kind != EARLIER if quirk else kind == SAME
        wording = (ALIKE if quirk else (Equality.affirmative, Equality.negative))[no]
        subject = f"equality-quirk-{setting}" if quirk else f"equality-{setting}"
        return self._judged(subject, wording, {"first": first, "second": second}, holds != no)

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
