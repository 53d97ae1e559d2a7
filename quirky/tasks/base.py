"""What every task provides, and the list of those that are known."""

import copy
import inspect
import string
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from quirky.example import Claim
from quirky.prompts import Template
from quirky.registry import Registry


class Task(Protocol):
    """A family of claims with a truth rule and a quirk rule.

    A task may have three more attributes, for the card of its exported data: `source`, a sentence
    that says where its claims come from, and whom to name for it; `licence`, an identifier as the
    hub has them, such as `cc-by-4.0`; and `data_from`, the distributions whose data it reads.
    """

    @property
    def name(self) -> str:
        """What it is called in a recipe and in the results."""
        ...

    @property
    def templates(self) -> Sequence[Template]:
        """What words its claims, each with `{trigger}` and two answers."""
        ...

    @property
    def standard(self) -> Template | None:
        """The standardized wording; None where the claims bring prompts of their own."""
        ...

    def claims(self, seed: int) -> Iterable[Claim]:
        """Yield the task's claims, one or more a fact; the same seed yields the same claims."""
        ...


TASKS: Registry[Task] = Registry("task", "quirky.tasks")


def get_task(name: str, **params: object) -> Task:
    """Return a task by name.

    Raises:
        ValueError: if the name or a parameter is unknown or out of range, or if a plug-in makes no
            task of that name.
    """
    task = TASKS.make(name, params)
    _check_task(name, task)
    return task


def _check_task(name: str, task: Task) -> None:
    """Make sure that what a plug-in makes is a task; its claims are checked as they are read."""
    for attribute in ("name", "templates", "standard", "claims"):
        if not hasattr(task, attribute):
            raise ValueError(f"task {name}: it has no attribute `{attribute}`, as every task has")
    if task.name != name:
        raise ValueError(f"task {name}: its `name` is {task.name!r}; let the two be the same")
    own = task.templates
    if not isinstance(own, list | tuple) or not own:
        raise ValueError(f"task {name}: templates = {own!r}; give a tuple of Template")
    for template in (*own, *([] if task.standard is None else [task.standard])):
        if not isinstance(template, Template):
            raise ValueError(f"task {name}: the template {template!r} is no Template")
    if not callable(task.claims):
        raise ValueError(f"task {name}: `claims` is no method; let claims(seed) yield the claims")


def list_tasks() -> list[str]:
    """Return the names of the known tasks."""
    return TASKS.names()


def task_class(name: str) -> type[Task]:
    """Return what `get_task` would call, for its docstring and parameters."""
    return TASKS.factory(name)  # type: ignore[return-value]


def rules_of(task: Task | Callable[..., Task]) -> list[str]:
    """Return what a task, or what makes it, says of itself: its docstring, then its file's."""
    if isinstance(task, partial):
        task = task.func
    made = task if inspect.isclass(task) or inspect.isroutine(task) else type(task)
    said = (inspect.getdoc(made), getattr(inspect.getmodule(made), "__doc__", None))
    return [" ".join(text.split()) for text in said if text]


def reads_data(name: str) -> bool:
    """Return whether a task's claims come from data that are told by a parameter `data`."""
    return name in TASKS.names() and "data" in inspect.signature(TASKS.factory(name)).parameters


def found_by(name: str) -> tuple[str, ...]:
    """Return the parameters of a task that say where its claims come from, not which they are."""
    return getattr(TASKS.factory(name), "found_by", ()) if name in TASKS.names() else ()


def reworded(task: Task, templates: Sequence[Template]) -> Task:
    """Return a task that asks the same claims in other words; the first template is its standard.

    Raises:
        ValueError: one line, if a template names a field that the claims do not have, or leaves
            out one that all of the task's own templates use, or has no text for negated claims
            where the task's own have one.
    """
    # A task whose claims are to be fetched says beforehand what its templates are filled with.
    fields = getattr(task, "fields", None) or next(iter(task.claims(0))).fields
    known = {"trigger", *fields}
    own = [template for template in (*task.templates, task.standard) if template]
    needed = set.intersection(*(template.fields() for template in own))
    negates = any(template.negated for template in own)
    for i, template in enumerate(templates, 1):
        if negates and template.negated is None:
            raise ValueError(
                f"templates, entry {i}: negated is missing; task {task.name} asks negated claims "
                "too, and needs a text for them"
            )
        _check_fields(task.name, f"entry {i}", template.text, known, needed)
        if template.negated is not None:
            _check_fields(task.name, f"entry {i}, negated", template.negated, known, needed)
    other = copy.copy(task)
    vars(other).update(templates=tuple(templates), standard=templates[0])
    return other


def _check_fields(task: str, entry: str, text: str, known: set[str], needed: set[str]) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    for field in sorted(named - known):
        raise ValueError(
            f"templates, {entry}: task {task} has no field {{{field}}}; known: "
            f"{', '.join(sorted(known))}"
        )
    for field in sorted(needed - named):
        raise ValueError(
            f"templates, {entry}: {{{field}}} is missing; task {task} needs "
            f"{', '.join(sorted(needed))}"
        )
