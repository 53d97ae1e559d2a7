"""The registry of tasks: built-in ones, and those that plug-ins register."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, overload

from quirky.plugins import Registry
from quirky.plugins.construction import construct
from quirky.prompts import Template
from quirky.tasks.base import Task

TaskFactory = TypeVar("TaskFactory", bound=Callable[..., Task])

TASKS: Registry[Callable[..., Task]] = Registry("task", "quirky.tasks", "quirky.tasks")


@overload
def register_task(factory: TaskFactory, *, name: str | None = None) -> TaskFactory: ...
@overload
def register_task(*, name: str) -> Callable[[TaskFactory], TaskFactory]: ...
def register_task(factory: Any = None, *, name: str | None = None) -> Any:
    """Register a task; usable as a decorator.

    A class is registered by its `name`. A function or a `functools.partial` that returns a task
    needs an explicit name: `register_task(partial(Power, exponent=3), name="cubing")`; the task it
    returns must have that name.

    Raises:
        ValueError: if a class is not a subclass of `Task`, or if the name is missing, built in or
            already registered.
    """
    if factory is None:
        return partial(register_task, name=name)
    if inspect.isclass(factory) and not issubclass(factory, Task):
        raise ValueError(f"{factory.__name__} is not a task; subclass quirky.Task")
    name = name or getattr(factory, "name", None)
    if not isinstance(name, str):
        raise ValueError(
            f"{factory!r} has no `name`; set one on the class, or write "
            "register_task(factory, name=...)"
        )
    return TASKS.register(name, factory)


def get_task(name: str, **params: object) -> Task:
    """Return a task by name.

    Raises:
        ValueError: if the name or a parameter is unknown or out of range, or if a plug-in does not
            return a `Task` of that name.
    """
    task = construct("task", name, TASKS.get(name), params)
    _check_task(name, task)
    return task


def list_tasks() -> list[str]:
    """Return the names of all usable tasks, sorted."""
    return TASKS.names()


def task_class(name: str) -> type[Task]:
    """Return the class of a task, or `Task` itself if a function makes it.

    Raises:
        ValueError: if the name is unknown or its plug-in is broken.
    """
    factory = TASKS.get(name)
    factory = factory.func if isinstance(factory, partial) else factory
    return factory if inspect.isclass(factory) and issubclass(factory, Task) else Task


def _check_task(name: str, task: object) -> None:
    """Check an instance that a plug-in made; its claims are checked as they are read."""
    if not isinstance(task, Task):
        raise ValueError(f"task {name}: {type(task).__name__} is not a task; subclass quirky.Task")
    for attribute in ("name", "templates"):
        if not hasattr(task, attribute):
            raise ValueError(f"task {name}: it has no attribute `{attribute}`, as every task has")
    if task.name != name:
        raise ValueError(f"task {name}: its `name` is {task.name!r}; the two must be equal")
    templates = task.templates
    if not isinstance(templates, list | tuple) or not templates:
        raise ValueError(f"task {name}: templates = {templates!r}; give a tuple of Template")
    for template in (*templates, *([] if task.standard is None else [task.standard])):
        if not isinstance(template, Template):
            raise ValueError(f"task {name}: the template {template!r} is not a Template")
