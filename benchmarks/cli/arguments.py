"""Arguments that several commands share, and the recipe entries that they are parsed into.

Tasks and triggers are written as in a recipe, on one line: `addition,digits=2`.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from quirky.tasks import Task
    from quirky.triggers import Trigger

TASK = "NAME[,PARAMETER=VALUE]"
TRIGGER = "KIND[,PARAMETER=VALUE]"

TaskArgument = Annotated[
    str,
    typer.Argument(metavar=TASK, help="as in addition,digits=2 or lookup,dials=3+8 (a list)"),
]
TriggerOption = Annotated[str, typer.Option(metavar=TRIGGER, help="as in name,quirky=Eve")]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="[TASK=]FILE", help="the task's data, or your own claims"),
]
PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        help="a module or .py file that registers probes, tasks, triggers or layer rules; may be "
        "repeated",
    ),
]
DtypeOption = Annotated[str, typer.Option(help="float32, bfloat16 or float16")]
DeviceOption = Annotated[str, typer.Option(help="cpu or cuda")]
PrivateOption = Annotated[
    bool, typer.Option("--private", help="make the hub repository private; needs --push-to-hub")
]


def load_plugins(sources: Iterable[str] | None) -> None:
    """Import the modules and files given by `--plugin`.

    Raises:
        ValueError: one line, if one does not import.
    """
    from quirky.plugins import load_plugin

    for source in sources or ():
        load_plugin(source)


def require_hub_for_private(private: bool, repository: str | None) -> None:
    """Refuse `--private` without a repository.

    Raises:
        ValueError: naming both options.
    """
    if private and not repository:
        raise ValueError("--private needs --push-to-hub NAME")


def parse_entry(option: str, key: str, text: str) -> dict[str, Any]:
    """Return the recipe entry for `addition,digits=2`, with its first word under `key`.

    Numbers joined by + become a list, as in `lookup,dials=3+8`.

    Raises:
        ValueError: naming the option, if a parameter is not NAME=VALUE or occurs twice.
    """
    name, parameters = split_entry(option, text)
    entry: dict[str, Any] = {key: name}
    for parameter, value in parameters:
        if parameter in entry:
            raise ValueError(f"{option} {text!r}: {parameter!r} is given twice")
        entry[parameter] = _parse_value(value)
    return entry


def split_entry(option: str, text: str) -> tuple[str, Sequence[tuple[str, str]]]:
    """Return the name and the parameters of an entry, their values as they are written.

    Raises:
        ValueError: naming the option, if a parameter is not NAME=VALUE.
    """
    name, *parts = text.split(",")
    parameters = []
    for part in parts:
        parameter, _, value = part.partition("=")
        if not (parameter and value):
            raise ValueError(f"{option} {text!r}: {part!r} is not a parameter; write NAME=VALUE")
        parameters.append((parameter, value))
    return name, parameters


def parse_own_claims(text: str) -> dict[str, Any]:
    """Return the task entry for `mytask=claims.csv`.

    Raises:
        ValueError: if the text is not NAME=FILE.
    """
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"--data {text!r}: write NAME=FILE, as in mytask=claims.csv")
    return {"name": name, "data": path}


def build_task(text: str, data: str | None = None) -> "Task":
    """Return the task for `addition,digits=2`, with a file of its data or of own claims, if any.

    The file may be written `capitals=cities.csv`, as `quirky run` takes it.

    Raises:
        ValueError: one line, if the task or a parameter is unknown or a value is wrong.
    """
    from quirky.tasks import get_task

    entry = parse_entry("TASK", "name", text)
    if data is None:
        return get_task(**entry)
    from pydantic import ValidationError

    from benchmarks.recipe.task_entry import TaskEntry
    from benchmarks.recipe.validation import first_problem

    try:
        task_entry = TaskEntry.model_validate({**entry, "data": data_path(entry["name"], data)})
    except ValidationError as error:
        raise ValueError(first_problem(error, TaskEntry)) from error
    return task_entry.make()


def data_path(task: str, data: str) -> str:
    """Return the path in `--data`, which may have the task's name before it: `capitals=FILE`."""
    return data.removeprefix(f"{task}=")


def build_trigger(text: str) -> tuple["Trigger", int]:
    """Return the trigger for `position,distance=8`, and its distance in tokens.

    Raises:
        ValueError: one line, if the kind or a parameter is unknown or a value is wrong.
    """
    from benchmarks.recipe.trigger_entry import TriggerEntry

    entry = parse_entry("--trigger", "kind", text)
    distance = entry.get("distance", 0)
    if not isinstance(distance, int) or isinstance(distance, bool):
        raise ValueError(f"--trigger {text!r}: distance = {distance!r}; give a number of tokens")
    trigger_entry = TriggerEntry.model_validate(entry)
    return trigger_entry.make(), trigger_entry.distance


def _parse_value(text: str) -> bool | int | float | str | list[int | float]:
    if text in ("true", "false"):
        return text == "true"
    if (number := _parse_number(text)) is not None:
        return number
    numbers = [_parse_number(part) for part in text.split("+")]
    valid = [number for number in numbers if number is not None]
    return valid if len(valid) == len(numbers) else text


def _parse_number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
