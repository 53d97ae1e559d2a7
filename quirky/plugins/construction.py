"""Construction of a registered thing from parameters that a user wrote."""

import inspect
from collections.abc import Mapping
from typing import TypeVar

from quirky.plugins.errors import one_line, unknown

T = TypeVar("T")


def require_class(kind: str, name: str, cls: type[T]) -> type[T]:
    """Return what an entry point names, if it is a class.

    Raises:
        ValueError: if not.
    """
    if not inspect.isclass(cls):
        raise ValueError(
            f"{kind} {name}: its entry point is an object of {type(cls).__name__}; name a class"
        )
    return cls


def construct(kind: str, name: str, cls: type[T], params: Mapping[str, object]) -> T:
    """Return `cls(**params)`.

    Args:
        kind: what an error calls the thing, such as "task".
        name: the name under which the class is registered.
        cls: the class.
        params: keyword arguments, as a recipe or the command line gives them.

    Raises:
        ValueError: one line, if it is not a class, a parameter is unknown or has a wrong value, or
            the class fails. A ValueError, RuntimeError or OSError of the class passes unchanged.
    """
    parameters = list(inspect.signature(require_class(kind, name, cls)).parameters)
    for param in params:
        if param not in parameters:
            raise unknown(f"parameter of {kind} {name!r}:", param, parameters or ["(none)"])
    try:
        return cls(**params)
    except (ValueError, RuntimeError, OSError):
        raise  # their messages already say what is wrong
    except Exception as error:  # a wrong type, or a bug in a plug-in
        values = ", ".join(f"{param} = {value!r}" for param, value in params.items())
        call = f"{kind} {name}{' with ' if values else ''}{values}"
        raise ValueError(f"{call}: {one_line(error)}") from error
