"""Entries of a recipe as they are written on the command line."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from quirky.tasks import Task
    from quirky.triggers import Trigger

T = TypeVar("T")


def own_claims(text: str) -> dict[str, Any]:
    """Return the task that `mytask=claims.csv` stands for.

    Raises:
        ValueError: if it is not a name and a file with `=` between them.
    """
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"--data {text!r}: write NAME=FILE, as in mytask=claims.csv")
    return {"name": name, "data": path}


def task_from(text: str) -> "Task":
    """Return the task that `addition,digits=2` stands for.

    Raises:
        ValueError: one line, if there is none, or a parameter is unknown or has a wrong value.
    """
    from quirky.tasks import get_task

    return _made(get_task, text, with_parameters("TASK", "name", text))


def trigger_from(text: str) -> "Trigger":
    """Return the trigger that `name,quirky=Eve` stands for.

    Raises:
        ValueError: as `task_from`.
    """
    from quirky.triggers import get_trigger

    return _made(get_trigger, text, with_parameters("--trigger", "kind", text))


def _made(make: Callable[..., T], text: str, entry: dict[str, Any]) -> T:
    """Call `make` and let a value of the wrong type be a ValueError."""
    try:
        return make(**entry)
    except TypeError as error:
        raise ValueError(f"{text!r}: {error}") from error


def with_parameters(option: str, key: str, text: str) -> dict[str, Any]:
    """Return the mapping that `addition,digits=2` stands for, its first word under `key`.

    Raises:
        ValueError: naming the option, if a parameter is not NAME=VALUE.
    """
    first, *rest = text.split(",")
    entry: dict[str, Any] = {key: first}
    for part in rest:
        name, _, value = part.partition("=")
        if not (name and value):
            raise ValueError(f"{option} {text!r}: {part!r} is no parameter; write NAME=VALUE")
        if name in entry:
            raise ValueError(f"{option} {text!r}: {name!r} is given twice")
        entry[name] = _value(value)
    return entry


def _value(value: str) -> bool | int | float | str:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
