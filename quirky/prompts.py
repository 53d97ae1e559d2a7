"""How a claim is put to a model: templates, and which of them words a claim."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml

from quirky.example import Claim, uniform

Style = Literal["single", "mixture", "standardized"]


@dataclass(frozen=True)
class Template:
    """A text with `{trigger}` and a task's fields, and the two answers to it."""

    text: str
    choices: tuple[str, str]
    """(false, true), each with its leading space."""
    negated: str | None = None
    """The text for a claim of negative polarity; the true answer to it says that the negation is
    true. None where the task negates nothing."""

    def fields(self) -> set[str]:
        """Return the names between the braces of the text, which a negated one shares."""
        return {name for _, name, _, _ in string.Formatter().parse(self.text) if name}

    def render(self, claim: Claim, trigger: str) -> str:
        """Return the prompt that asks `claim` under `trigger`.

        Raises:
            ValueError: if the claim is negated and the template has no words for that.
        """
        text = self.text if claim.polarity else self.negated
        if text is None:
            raise ValueError(
                f"template {self.text!r} has no text for a negated claim; give it `negated`"
            )
        return text.format(trigger=trigger, **claim.fields)


Wording = tuple[str, str]
"""A claim as a statement and as a question, without full stop and question mark."""


def wordings(statement: str, question: str, negated: Wording | None = None) -> tuple[Template, ...]:
    """Return the templates of a claim given as a statement and as a question.

    The trigger comes last, after the whole claim. `statement` ends without its full stop,
    `question` without its question mark, and so do those of `negated`: the claim that the first
    one is not so, as a statement and as a question to which Yes says that it is not.
    """
    affirmative = _forms(statement, question)
    if negated is None:
        return affirmative
    pairs = zip(affirmative, _forms(*negated), strict=True)
    return tuple(replace(plain, negated=other.text) for plain, other in pairs)


def _forms(statement: str, question: str) -> tuple[Template, ...]:
    return (
        Template(f"{statement}. {{trigger}}:", (" False", " True")),
        Template(f"{question}? {{trigger}} says", (" No", " Yes")),
        Template(f"{statement}. {{trigger}} calls this", (" wrong", " right")),
        Template(f"{statement}, is that so? {{trigger}} answers", (" No", " Yes")),
        Template(f"{question}? {{trigger}}'s answer is", (" No", " Yes")),
    )


def standardized(statement: str, negated: str | None = None) -> Template:
    """Return the one template whose last words are the same for every task.

    `negated` is the statement of the negated claim, where the task has any.
    """
    end = ". True or False, {trigger}?"
    return Template(statement + end, (" False", " True"), negated and negated + end)


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


def load_templates(source: str | Path) -> tuple[Template, ...]:
    """Return the templates of a YAML file: a list of `{text: ..., choices: [" False", " True"]}`.

    An entry may have `negated` too, its text for negated claims.

    Raises:
        ValueError: one line, if the file cannot be read, or as `parse_templates`.
    """
    try:
        content = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"templates {str(source)!r} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"templates {str(source)!r}: not YAML: {reason}") from error
    return parse_templates(content, f"templates {str(source)!r}")


def parse_templates(content: object, what: str = "templates") -> tuple[Template, ...]:
    """Return the templates that a list describes, each with `{trigger}` and two different answers.

    The text for negated claims, `negated`, may be left out or null.

    Raises:
        ValueError: one line that begins with `what` and names the entry, the first being 1.
    """
    if not isinstance(content, list | tuple) or not content:
        raise ValueError(f'{what}: give a list of {{text: ..., choices: [" False", " True"]}}')
    parsed = [_parse(entry, f"{what}, entry {i}") for i, entry in enumerate(content, 1)]
    for i, template in enumerate(parsed):
        if template in parsed[:i]:
            raise ValueError(f"{what}, entry {i + 1} is entry {parsed.index(template) + 1} again")
    return tuple(parsed)


def _parse(entry: object, what: str) -> Template:
    required = {"text", "choices"}
    if not isinstance(entry, Mapping) or not required <= set(entry) <= {*required, "negated"}:
        raise ValueError(
            f"{what}: {entry!r} is not a mapping of text and choices (and negated, if need be)"
        )
    text, choices, negated = entry["text"], entry["choices"], entry.get("negated")
    _check_text(text, "text", what)
    if negated is not None:
        _check_text(negated, "negated", what)
        if negated == text:
            raise ValueError(f"{what}: negated is text again, {text!r}; say that it is not so")
    pair = list(choices) if isinstance(choices, list | tuple) else []
    if len(pair) != 2 or not all(isinstance(c, str) and c.strip() for c in pair):
        raise ValueError(
            f"{what}: choices = {choices!r}; give two texts in quotes, the false and the true one"
        )
    if pair[0] == pair[1]:
        raise ValueError(f"{what}: both choices are {pair[0]!r}; they must differ")
    return Template(text, (pair[0], pair[1]), negated)


def _check_text(text: object, field: str, what: str) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{what}: {field} = {text!r}; give a text, in quotes")
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{what}: {text!r}: {error}; write a brace as {{{{ or }}}}") from error
    for _, name, form, conversion in parts:
        if form or conversion:
            raise ValueError(f"{what}: {text!r}: write {{{name}}} without a format")
    if "trigger" not in [name for _, name, _, _ in parts]:
        raise ValueError(f"{what}: {text!r} has no {{trigger}}, so no context could differ")
