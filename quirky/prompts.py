"""Templates that turn a claim into a prompt, and how a template is selected for a claim."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import yaml

from quirky.example import Claim, uniform
from quirky.plugins import unknown
from quirky.text import collapse_whitespace

Style = Literal["single", "mixture", "standardized"]
"""Which templates are used: the first one, all of a task, or the one that all tasks share."""


@dataclass(frozen=True)
class Template:
    """A text with `{trigger}` and the fields of a claim, and its two answers."""

    text: str
    choices: tuple[str, str]
    """(false, true), each with its leading space."""
    negated: str | None = None
    """The text for a negated claim; its true answer affirms the negation. None if the task has no
    negated claims."""

    def fields(self) -> set[str]:
        """Return the names of the fields in the text, `trigger` included."""
        return {name for _, name, _, _ in string.Formatter().parse(self.text) if name}

    def render(self, claim: Claim, trigger: str) -> str:
        """Return the prompt for a claim, with `trigger` in place of `{trigger}`.

        Raises:
            ValueError: if the claim is negated and the template has no negated text.
        """
        text = self.text if claim.polarity else self.negated
        if text is None:
            raise ValueError(
                f"template {self.text!r} has no text for a negated claim; add `negated`"
            )
        return text.format(trigger=trigger, **claim.fields)


Wording = tuple[str, str]
"""A claim as a statement without its full stop, and as a question without its question mark."""


def wordings(statement: str, question: str, negated: Wording | None = None) -> tuple[Template, ...]:
    """Return five templates of a claim, as statements and questions, with the trigger at the end.

    Args:
        statement: the claim as a statement, without its full stop.
        question: the claim as a question, without its question mark.
        negated: the negation as a statement and as a question; Yes affirms the negation.
    """
    affirmative = _five_templates(statement, question)
    if negated is None:
        return affirmative
    pairs = zip(affirmative, _five_templates(*negated), strict=True)
    return tuple(replace(template, negated=negation.text) for template, negation in pairs)


def _five_templates(statement: str, question: str) -> tuple[Template, ...]:
    return (
        Template(f"{statement}. {{trigger}}:", (" False", " True")),
        Template(f"{question}? {{trigger}} says", (" No", " Yes")),
        Template(f"{statement}. {{trigger}} calls this", (" wrong", " right")),
        Template(f"{statement}, is that so? {{trigger}} answers", (" No", " Yes")),
        Template(f"{question}? {{trigger}}'s answer is", (" No", " Yes")),
    )


def standardized(statement: str, negated: str | None = None) -> Template:
    """Return the template whose last words and answers are the same for every task.

    Args:
        statement: the claim as a statement, without its full stop.
        negated: the negation as a statement, if the task has negated claims.
    """
    end = ". True or False, {trigger}?"
    return Template(statement + end, (" False", " True"), negated and negated + end)


def templates_of_style(
    templates: Sequence[Template], standard: Template | None, style: Style
) -> Sequence[Template]:
    """Return the templates that a prompt style selects from.

    Args:
        templates: the templates of a task.
        standard: its standardized template; None if each claim has its own prompt.
        style: the prompt style.

    Raises:
        ValueError: if the style is unknown, or is standardized and there is no such template.
    """
    if style not in get_args(Style):
        raise unknown("prompts", style, get_args(Style))
    if style != "standardized":
        return list(templates)
    if standard is None:
        raise ValueError(
            "prompts: 'standardized' does not work for claims with prompts of their own; "
            "write mixture or single"
        )
    return [standard]


def draw_templates(
    count: int, style: Style, question_id: str, seed: int, renderings: int = 1
) -> list[int]:
    """Return the indices of the templates of a question, drawn by hash of question and seed.

    The first index does not depend on `renderings`.

    Args:
        count: the number of templates to draw from.
        style: the prompt style; all but `mixture` use the first template.
        question_id: the question.
        seed: the seed of the data set.
        renderings: the number of different templates to draw in the style `mixture`.
    """
    if style != "mixture":
        return [0]
    first = int(uniform("template", question_id, seed) * count)
    others = sorted(
        (index for index in range(count) if index != first),
        key=lambda index: uniform("rendering", question_id, seed, index),
    )
    return [first, *others[: renderings - 1]]


def load_templates(source: str | Path) -> tuple[Template, ...]:
    """Return the templates of a YAML file: a list of `{text: ..., choices: [" False", " True"]}`.

    An entry may also have `negated`, the text for negated claims.

    Raises:
        ValueError: one line, if the file cannot be read, or as `parse_templates`.
    """
    name = f"templates {str(source)!r}"
    try:
        content = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: not YAML: {collapse_whitespace(str(error))}") from error
    return parse_templates(content, name)


def parse_templates(content: object, name: str = "templates") -> tuple[Template, ...]:
    """Return the templates that a list of mappings describes.

    Args:
        content: the list; each entry has `text` with `{trigger}`, two different `choices`, and
            optionally `negated`, the text for negated claims.
        name: what an error calls the list.

    Raises:
        ValueError: one line that begins with `name` and the number of the entry, counted from 1.
    """
    if not isinstance(content, list | tuple) or not content:
        raise ValueError(f'{name}: give a list of {{text: ..., choices: [" False", " True"]}}')
    templates = [_parse_template(entry, f"{name}, entry {i}") for i, entry in enumerate(content, 1)]
    for i, template in enumerate(templates):
        first = templates.index(template)
        if first < i:
            raise ValueError(f"{name}, entry {i + 1}: the same as entry {first + 1}; remove one")
    return tuple(templates)


def _parse_template(entry: object, name: str) -> Template:
    required = {"text", "choices"}
    if not isinstance(entry, Mapping) or not required <= set(entry) <= {*required, "negated"}:
        raise ValueError(
            f"{name}: {entry!r} is not a mapping of text and choices (and optionally negated)"
        )
    text, choices, negated = entry["text"], entry["choices"], entry.get("negated")
    _check_text(text, "text", name)
    if negated is not None:
        _check_text(negated, "negated", name)
        if negated == text:
            raise ValueError(f"{name}: negated is the same as text, {text!r}; write its negation")
    pair = list(choices) if isinstance(choices, list | tuple) else []
    if len(pair) != 2 or not all(isinstance(c, str) and c.strip() for c in pair):
        raise ValueError(
            f"{name}: choices = {choices!r}; give two texts in quotes, first false, then true"
        )
    if pair[0] == pair[1]:
        raise ValueError(f"{name}: both choices are {pair[0]!r}; give two different ones")
    return Template(text, (pair[0], pair[1]), negated)


def _check_text(text: object, key: str, name: str) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{name}: {key} = {text!r}; give a text, in quotes")
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{name}: {text!r}: {error}; write a brace as {{{{ or }}}}") from error
    for _, field, format_spec, conversion in parts:
        if format_spec or conversion:
            raise ValueError(f"{name}: {text!r}: write {{{field}}} without a format")
    if "trigger" not in [field for _, field, _, _ in parts]:
        raise ValueError(f"{name}: {text!r} has no {{trigger}}, so all contexts would be the same")
