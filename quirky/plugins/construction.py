"""Registering classes by name, and constructing them from parameters that a user wrote."""

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from quirky.plugins.errors import one_line, unknown
from quirky.plugins.registry import Registry

T = TypeVar("T")
AnyClass = TypeVar("AnyClass", bound=type)


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


def register_class(registry: Registry[Any], base: type, attribute: str, cls: AnyClass) -> AnyClass:
    """Register a class under the name that one of its attributes holds, and return it.

    Args:
        registry: of tasks, for example.
        base: what the class must derive from.
        attribute: the class variable with the name.
        cls: the class.

    Raises:
        ValueError: if it is not a subclass of `base`, or its name is missing, built in or taken.
    """
    require_subclass(registry.kind, base, cls)
    name = getattr(cls, attribute, None)
    if not isinstance(name, str):
        raise ValueError(f"{cls!r} has no `{attribute}`; set one on the class")
    return registry.register(name, cls)


def require_subclass(kind: str, base: type, cls: object) -> None:
    """Check that something is a class derived from `base`.

    Raises:
        ValueError: if not.
    """
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        name = getattr(cls, "__name__", repr(cls))
        raise ValueError(f"{name} is not a {kind}; subclass quirky.{base.__name__}")


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
