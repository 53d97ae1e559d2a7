"""Entries of a recipe as they are written on the command line."""

from typing import Any

import yaml


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
        entry[name] = yaml.safe_load(value)
    return entry
