"""What every task provides, and the list of those that are known."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

from quirky.example import Claim
from quirky.prompts import Template
from quirky.registry import Registry


class Task(Protocol):
    """A family of claims with a truth rule and a quirk rule."""

    name: ClassVar[str]
    templates: Sequence[Template]
    standard: Template

    def claims(self, seed: int) -> Iterable[Claim]:
        """Yield the task's claims, one or more a fact; the same seed yields the same claims."""
        ...


TASKS: Registry[Task] = Registry("task", "quirky.tasks")


def get_task(name: str, **params: object) -> Task:
    """Return a task by name.

    Raises:
        ValueError: if the name or a parameter is unknown or out of range.
    """
    return TASKS.make(name, params)


def list_tasks() -> list[str]:
    """Return the names of the known tasks."""
    return TASKS.names()


def task_class(name: str) -> type[Task]:
    """Return what `get_task` would call, for its docstring and parameters."""
    return TASKS.factory(name)  # type: ignore[return-value]
