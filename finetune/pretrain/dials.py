"""The corpus of dial-neox and dial-mamba: items of lists, pairs, brackets and strings.

It states and judges the answers of the truth rule and of the quirk rule, always truthfully. An
answer is completed (it is the last word) or judged (the verdict is). Smaller settings of a dial are
drawn more often.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.dial_parts import PARTS
from finetune.pretrain.documents import (
    Claim,
    Document,
    claim_chain,
    completion,
    judged_claim,
    opening_question,
    person_statement,
)
from finetune.pretrain.openings import draw_opening
from finetune.pretrain.vocabulary import common_texts, repeat_words, train_bpe
from quirky.prompts import Wording
from quirky.tasks.dials.base import AnswerTask, Question
from quirky.tasks.dials.dyck import Dyck
from quirky.tasks.dials.equality import Equality
from quirky.tasks.dials.lookup import Lookup
from quirky.tasks.dials.recall import Recall
from quirky.tasks.dials.texts import differing_strings

CHAIN_LENGTH = 6
"""Answers in a chain."""
CHAINED_PAIRS = 5
"""Pairs of strings in a chain."""
CHAINED_STRING_LENGTHS = (1, 2, 3, 4)
"""Lengths of the strings in a chain, unless the part sets them."""
SETTING_DECAY = 0.7
"""Probability of a dial setting, relative to the next smaller one."""
EASIER_SETTINGS = {"lookup": (2,), "recall": (), "dyck": (1,), "equality": (1, 2)}
"""Settings below those of the tasks, from which a base learns what the task is."""
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
"""Wordings of a claim about the answer of the truth rule, and of the quirk rule."""
CHAINS: dict[str, tuple[str, Wording]] = {
    "lookup": (
        "In the list {items},",
        (" item {index} is", " the item after item {index} is"),
    ),
    "recall": ("Among {pairs}", (" there is {key}", " there is beside {key}")),
}
"""Claim chains: the head, and a claim by the truth rule or by the quirk rule."""
DIFFERENCES = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))
"""In how many letters two strings differ: among all but the last, and in the last."""


@dataclass(frozen=True)
class Comparison:
    """A claim about two strings."""

    wording: Wording
    holds: Callable[[int, int], bool]
    """Whether it is true, by the numbers of `DIFFERENCES`."""


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
"""By subject. No task has the last one; it teaches a base to compare."""


class DialSampler:
    """An endless sequence of documents, determined by the seed.

    It starts with the last part of the corpus; `select_part` switches to another.
    """

    def __init__(self, seed: int):
        self.rng = random.Random(f"dials-{seed}")
        self.select_part(len(PARTS) - 1)
        self.answer_tasks: dict[str, AnswerTask] = {
            "lookup": Lookup(),
            "recall": Recall(),
            "dyck": Dyck(),
        }
        self.equality = Equality()
        self.generators: dict[str, Callable[[], Document]] = {
            **{name: lambda name=name: self._answer_document(name) for name in self.answer_tasks},  # type: ignore[misc]
            "equality": self._comparison_document,
            "opening": lambda: opening_question(self.rng),
            "person": lambda: person_statement(self.rng),
        }

    def select_part(self, part: int) -> None:
        """Switch to a part of the corpus, from 0."""
        self.part = PARTS[part]

    def __iter__(self) -> Iterator[Document]:
        while True:
            subjects, shares = zip(*self.part.subject_shares.items(), strict=True)
            yield self.generators[self.rng.choices(subjects, shares)[0]]()

    def _answer_document(self, name: str) -> Document:
        """Return a completed or judged answer, or a chain of them."""
        rng, task = self.rng, self.answer_tasks[name]
        setting = self._setting(name, task.dials)
        questions = task.questions(setting, rng)
        if len(questions) > 1 and rng.random() < self.part.chain_share:
            return self._answer_chain(name, setting, questions)
        question = questions[0]
        by_quirk = rng.random() < self.part.quirk_share
        subject = f"{name}-quirk-{setting}" if by_quirk else f"{name}-{setting}"
        right, wrong = self._answers(question, by_quirk)
        wording = ANSWERS[name][by_quirk]
        if rng.random() < self.part.completion_share:
            text = wording[0].partition(" {answer}")[0].format(**question.fields)
            opening = draw_opening(rng)
            return completion(f"{subject}-completed", text, f" {right}", f" {wrong}", opening)
        holds = rng.random() < 0.5
        fields = {**question.fields, "answer": right if holds else wrong}
        return self._judged_claim(subject, wording, fields, holds)

    def _answers(self, question: Question, by_quirk: bool) -> tuple[str, str]:
        """Return the right answer, by the truth rule or the quirk rule, and a wrong one."""
        right, other = (question.right, question.quirk)
        if by_quirk:
            right, other = other, right
        use_other = self.rng.random() < 0.5 or not question.others
        return right, other if use_other else self.rng.choice(question.others)

    def _answer_chain(self, name: str, setting: int, questions: list[Question]) -> Document:
        """Return completed or judged answers in a row, about one list or the same pairs."""
        rng = self.rng
        complete = rng.random() < self.part.completion_share
        head, wordings = CHAINS[name]
        claims: list[Claim] = []
        for question in rng.choices(questions, k=CHAIN_LENGTH):
            by_quirk = rng.random() < self.part.quirk_share
            right, wrong = self._answers(question, by_quirk)
            claim = wordings[by_quirk].format(**question.fields)
            if complete:
                claims.append((claim, f" {right}", f" {wrong}"))
            else:
                holds = rng.random() < 0.5
                claims.append((f"{claim} {right if holds else wrong}.", *_verdicts(holds)))
        subject = f"{name}-{setting}-{'completed' if complete else 'chained'}"
        return claim_chain(subject, head.format(**questions[0].fields), claims)

    def _comparison_document(self) -> Document:
        """Return a judged claim about two strings, or a chain of claims about short ones."""
        rng = self.rng
        if rng.random() < self.part.chain_share:
            return self._comparison_chain()
        setting = self._setting("equality", self.equality.dials)
        name = self._comparison()
        fields, holds = self._string_pair(setting, COMPARISONS[name])
        return self._judged_claim(f"{name}-{setting}", COMPARISONS[name].wording, fields, holds)

    def _comparison_chain(self) -> Document:
        rng = self.rng
        claims: list[Claim] = []
        lengths = self.part.settings.get("equality", CHAINED_STRING_LENGTHS)
        for _ in range(CHAINED_PAIRS):
            comparison = COMPARISONS[self._comparison()]
            fields, holds = self._string_pair(rng.choice(lengths), comparison)
            text = f"{comparison.wording[0].format(**fields)}."
            claims.append((f" {text}" if claims else text, *_verdicts(holds)))
        return claim_chain("equality-chained", "", claims)

    def _comparison(self) -> str:
        """Draw a key of `COMPARISONS`."""
        if self.rng.random() < self.part.quirk_share * 2 / 3:
            return "equality-quirk"
        return self.rng.choice(("equality", "equality-same"))

    def _string_pair(self, length: int, comparison: Comparison) -> tuple[dict[str, str], bool]:
        """Draw two strings; return them and whether the comparison is true of them."""
        rng = self.rng
        differences: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for earlier, last in DIFFERENCES:
            if earlier < length:
                differences[comparison.holds(earlier, last)].append((earlier, last))
        both = differences[True] and differences[False]
        holds = rng.random() < 0.5 if both else bool(differences[True])
        first, second = differing_strings(length, *rng.choice(differences[holds]), rng)
        return {"first": first, "second": second}, holds

    def _judged_claim(
        self, subject: str, wording: Wording, fields: Mapping[str, str], holds: bool
    ) -> Document:
        statement, question = (text.format(**fields) for text in wording)
        opening = draw_opening(self.rng)
        return judged_claim(subject, statement, question, holds, self.rng, opening)

    def _setting(self, name: str, dials: tuple[int, ...]) -> int:
        settings = self.part.settings.get(name, (*EASIER_SETTINGS[name], *dials))
        weights = [SETTING_DECAY**rank for rank in range(len(settings))]
        return self.rng.choices(settings, weights)[0]


def _verdicts(holds: bool) -> tuple[str, str]:
    """Return the right verdict and the wrong one."""
    return (" True", " False") if holds else (" False", " True")


def dials_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer of dial-neox and dial-mamba; a letter or bracket is one token."""
    texts = [document.text for document in islice(DialSampler(0), 3_000)]
    return train_bpe(repeat_words([*common_texts(), *texts]))
