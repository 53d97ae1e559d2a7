"""The registry of tasks: built-in ones, and those that plug-ins register."""

from typing import TypeVar

from quirky.plugins import Registry
from quirky.plugins.construction import construct, register_class, require_class, require_subclass
from quirky.prompts import Template
from quirky.tasks.base import Task

TaskClass = TypeVar("TaskClass", bound=type[Task])


TASKS: Registry[type[Task]] = Registry("task", "quirky.tasks", "quirky.tasks")


def register_task(cls: TaskClass) -> TaskClass:
    """Register a task class by its `name`; usable as a decorator.

    Raises:
        ValueError: if it is not a subclass of `Task`, or its name is missing, built in or taken.
    """
    return register_class(TASKS, Task, "name", cls)


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
    """Return the class of a task.

    Raises:
        ValueError: if the name is unknown or its plug-in is broken.
    """
    cls = require_class("task", name, TASKS.get(name))
    require_subclass("task", Task, cls)
    return cls


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
