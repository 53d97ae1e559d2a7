"""Entries of a recipe as they are written on the command line."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quirky.tasks import Task
    from quirky.triggers import Trigger


def own_claims(text: str) -> dict[str, Any]:
    """Return the task that `mytask=claims.csv` stands for.

    Raises:
        ValueError: if it is not a name and a file with `=` between them.
    """
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"--data {text!r}: write NAME=FILE, as in mytask=claims.csv")
    return {"name": name, "data": path}


def task_from(text: str, data: str | None = None) -> "Task":
    """Return the task that `addition,digits=2` stands for; `data` are its data, or own claims.

    `data` may be written with the task's name in front, as for a run: `capitals=cities.csv`.

    Raises:
        ValueError: one line, if there is none, or a parameter is unknown or has a wrong value.
    """
    from quirky.tasks import get_task

    entry = with_parameters("TASK", "name", text)
    if data is None:
        return get_task(**entry)
    data = unnamed_data(entry["name"], data)
    from pydantic import ValidationError

    from benchmarks.recipe.task_entry import TaskEntry
    from benchmarks.recipe.validation import first_problem

    try:
        spec = TaskEntry.model_validate({**entry, "data": data})
    except ValidationError as error:
        raise ValueError(first_problem(error, TaskEntry)) from error
    return spec.make()


def unnamed_data(task: str, data: str) -> str:
    """Return what is read where `--data` may be written as for a run: `capitals=cities.csv`."""
    return data.removeprefix(f"{task}=")


def trigger_from(text: str) -> tuple["Trigger", int]:
    """Return the trigger that `position,distance=8` stands for, and its distance in tokens.

    Raises:
        ValueError: as `task_from`.
    """
    from benchmarks.recipe.trigger_entry import TriggerEntry

    entry = with_parameters("--trigger", "kind", text)
    distance = entry.get("distance", 0)
    if not isinstance(distance, int) or isinstance(distance, bool):
        raise ValueError(f"--trigger {text!r}: distance = {distance!r}; give a number of tokens")
    spec = TriggerEntry.model_validate(entry)
    return spec.make(), spec.distance


def with_parameters(option: str, key: str, text: str) -> dict[str, Any]:
    """Return the mapping that `addition,digits=2` stands for, its first word under `key`.

    Numbers with + between them are a list, as in `lookup,dials=3+8`.

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


def _value(text: str) -> bool | int | float | str | list[int | float]:
    if text in ("true", "false"):
        return text == "true"
    if (number := _number(text)) is not None:
        return number
    numbers = [_number(part) for part in text.split("+")]
    listed = [number for number in numbers if number is not None]
    return listed if len(listed) == len(numbers) else text


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
