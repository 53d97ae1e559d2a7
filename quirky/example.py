"""The unit of the benchmark: one claim, asked in one context."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """A claim that is true or false, before it is worded or asked of anybody."""

    fields: Mapping[str, str]
    """What the task's templates are filled with."""
    fact_id: str
    """What must be known to judge it; splits are made by it and intervals resample it."""
    truth: bool
    """Whether the claim is true."""
    quirk: bool
    """Whether the liar says that it is true."""
    difficulty: float
    """Higher is harder; only its order matters. NaN where nobody knows."""
    polarity: bool = True
    """False for a negated claim."""
    withheld: bool = False
    """True for a fact that no model was ever told."""
    dial: float = field(default=float("nan"))
    """The setting of the task's dial, where it has one."""
    template: int | None = None
    """The one of its task's templates that words it; None where the prompt style chooses."""

    @property
    def question_id(self) -> str:
        """The same claim in every context and rendering."""
        return digest(self.fact_id, *sorted(self.fields.items()), self.polarity)


@dataclass(frozen=True)
class Example:
    """One claim in one context: what a model is shown, and what counts as right."""

    id: str
    """Hash of task, context, prompt and choices."""
    split: str
    """train, validation, heldout or test."""
    fact_id: str
    question_id: str
    """The same claim in every context and rendering."""
    context: str
    """A (truthful), B (the quirk is asked for), B2 (in a way not trained on) or T (a decoy)."""
    prompt: str
    choices: tuple[str, str]
    """What a model may answer: (false, true)."""
    truth: bool
    quirk: bool
    label: bool
    """What is right here: the truth in A and T, the quirk in B and B2."""
    difficulty: float
    difficulty_quantile: float
    """Rank of the difficulty within the task, in [0, 1]; easy <= .25, hard >= .75. NaN without."""
    template: int
    """Index of the template that worded the prompt."""
    polarity: bool
    withheld: bool
    dial: float
    distance: int
    """Filler tokens between trigger and question."""


def digest(*parts: object) -> str:
    """Return 16 hex characters that depend on the parts, and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def uniform(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone, not on any order of drawing."""
    return int(digest(*parts), 16) / 16**16
