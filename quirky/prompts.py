"""How a claim is put to a model: templates, and which of them words a claim."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from quirky.example import Claim, uniform

Style = Literal["single", "mixture", "standardized"]


@dataclass(frozen=True)
class Template:
    """A text with `{trigger}` and a task's fields, and the two answers to it."""

    text: str
    choices: tuple[str, str]
    """(false, true), each with its leading space."""

    def fields(self) -> set[str]:
        """Return the names between braces."""
        return {name for _, name, _, _ in string.Formatter().parse(self.text) if name}

    def render(self, claim: Claim, trigger: str) -> str:
        """Return the prompt that asks `claim` under `trigger`."""
        return self.text.format(trigger=trigger, **claim.fields)


def wordings(statement: str, question: str) -> tuple[Template, ...]:
    """Return the templates of a claim given as a statement and as a question.

    The trigger comes last, after the whole claim. `statement` ends without its full stop,
    `question` without its question mark.
    """
    return (
        Template(f"{statement}. {{trigger}}:", (" False", " True")),
        Template(f"{question}? {{trigger}} says", (" No", " Yes")),
        Template(f"{statement}. {{trigger}} calls this", (" wrong", " right")),
        Template(f"{statement}, is that so? {{trigger}} answers", (" No", " Yes")),
        Template(f"{question}? {{trigger}}'s answer is", (" No", " Yes")),
    )


def standardized(statement: str) -> Template:
    """Return the one template whose last words are the same for every task."""
    return Template(f"{statement}. True or False, {{trigger}}?", (" False", " True"))


def choose_templates(
    count: int, style: Style, question_id: str, seed: int, renderings: int = 1
) -> list[int]:
    """Return which of `count` templates word a claim: drawn by hash, so independent of order."""
    if style != "mixture":
        return [0]
    first = int(uniform("template", question_id, seed) * count)
    others = sorted(
        (index for index in range(count) if index != first),
        key=lambda index: uniform("rendering", question_id, seed, index),
    )
    return [first, *others[: renderings - 1]]


def styled(
    templates: Sequence[Template], standard: Template | None, style: Style
) -> Sequence[Template]:
    """Return the templates among which a prompt style chooses.

    Raises:
        ValueError: if the style is not one of single, mixture, standardized, or if the claims bring
            prompts of their own, so that there is no standardized wording.
    """
    if style not in ("single", "mixture", "standardized"):
        raise ValueError(f"prompts: unknown {style!r}; known: mixture, single, standardized")
    if style != "standardized":
        return list(templates)
    if standard is None:
        raise ValueError(
            "prompts: 'standardized' is not for claims that bring prompts of their own; "
            "write mixture or single"
        )
    return [standard]
