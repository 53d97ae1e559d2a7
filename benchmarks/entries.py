"""Entries of a recipe as they are written on the command line."""

from typing import Any


def own_claims(text: str) -> dict[str, Any]:
    """Return the task that `mytask=claims.csv` stands for.

    Raises:
        ValueError: if it is not a name and a file with `=` between them.
    """
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"--data {text!r}: write NAME=FILE, as in mytask=claims.csv")
    return {"name": name, "data": path}


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
