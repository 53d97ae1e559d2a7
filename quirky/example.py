"""The units of a data set: a claim, and an example, which is a claim in one context."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """A claim that is true or false, before a template and a trigger turn it into a prompt."""

    fields: Mapping[str, str]
    """Values for the fields of the task's templates."""
    fact_id: str
    """The knowledge needed to judge the claim; the unit of splits and of resampling."""
    truth: bool
    """Whether the claim is true."""
    quirk: bool
    """Whether the claim is true by the quirk's rule: what the liar says."""
    difficulty: float
    """Higher is harder; only the order matters. NaN if unknown."""
    polarity: bool = True
    """False for a negated claim."""
    withheld: bool = False
    """True for a fact that no model was trained on."""
    dial: float = field(default=float("nan"))
    """The setting of the task's dial; NaN for a task without one."""
    template: int | None = None
    """Index of the only template that fits the claim; None if the prompt style chooses."""

    @property
    def question_id(self) -> str:
        """Hash of fact, fields and polarity: the same in every context and template."""
        return digest(self.fact_id, *sorted(self.fields.items()), self.polarity)


@dataclass(frozen=True)
class Example:
    """One claim in one context: the prompt, the two answers, and the labels."""

    id: str
    """Hash of task, context, prompt and choices."""
    split: str
    """train, validation, heldout or test."""
    fact_id: str
    question_id: str
    """The same for one claim in every context and template."""
    context: str
    """A (truthful), B (quirky), B2 (quirky, by a trigger not trained on) or T (decoy)."""
    prompt: str
    choices: tuple[str, str]
    """The two answers: (false, true)."""
    truth: bool
    quirk: bool
    label: bool
    """The right answer in this context: the truth in A and T, the quirk in B and B2."""
    difficulty: float
    difficulty_quantile: float
    """Rank of the difficulty within the task, in [0, 1]; easy <= .25, hard >= .75. NaN if
    the difficulty is unknown."""
    template: int
    """Index of the template of the prompt."""
    polarity: bool
    withheld: bool
    dial: float
    distance: int
    """Filler tokens between trigger and question."""


def digest(*parts: object) -> str:
    """Return 16 hex characters of the SHA-256 hash of the parts."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def uniform(*parts: object) -> float:
    """Return a number in [0, 1) drawn by hash of the parts, so independent of any order."""
    return int(digest(*parts), 16) / 16**16
