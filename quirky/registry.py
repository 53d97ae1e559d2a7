"""Names of tasks and triggers, built in or brought by another installed package."""

import difflib
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error that names what was asked for, the nearest known name, and all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(names)}")


def one_line(error: Exception) -> str:
    """Return what sort of error it is, and what it says, of errors that others' code raises."""
    return " ".join(f"{type(error).__name__}: {error}".split())


class Registry(Generic[T]):
    """Factories by name; those of other packages come from an entry-point group, loaded late."""

    def __init__(self, kind: str, group: str):
        self.kind = kind
        self.group = group
        self._builtin: dict[str, Callable[..., T]] = {}
        self._plugins: dict[str, Callable[..., T]] | None = None
        self._broken: dict[str, str] = {}

    def builtin(self, name: str, factory: Callable[..., Any]) -> None:
        """Add a built-in factory."""
        self._builtin[name] = factory

    def names(self) -> list[str]:
        """Return every known name, sorted."""
        return sorted(self._factories())

    def make(self, name: str, params: Mapping[str, object]) -> T:
        """Return `factory(**params)`.

        Raises:
            ValueError: in one line, if the name or a parameter is unknown, a parameter has a wrong
                value, or the factory is none or fails.
        """
        factory = self.factory(name)
        known = list(inspect.signature(factory).parameters)
        for param in params:
            if param not in known:
                raise unknown(f"parameter of {self.kind} {name!r}:", param, known or ["(none)"])
        try:
            return factory(**params)
        except (ValueError, RuntimeError, OSError):
            raise  # they say themselves what is wrong
        except Exception as error:  # of a wrong type, or of a factory that others wrote
            given = ", ".join(f"{param} = {value!r}" for param, value in params.items())
            what = f"{self.kind} {name}{' with ' if given else ''}{given}"
            raise ValueError(f"{what}: {one_line(error)}") from error

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory of that name.

        Raises:
            ValueError: if there is none, if two plug-ins claim the name, or if a plug-in does not
                import or its entry point names something else.
        """
        factories = self._factories()
        if name in self._broken:
            raise ValueError(f"{self.kind} {name}: {self._broken[name]}")
        if name not in factories:
            raise unknown(self.kind, name, factories)
        factory = factories[name]
        if not callable(factory):
            raise ValueError(
                f"{self.kind} {name}: its entry point is an object of {type(factory).__name__}; "
                f"name a class, or a function that makes a {self.kind}"
            )
        return factory

    def _factories(self) -> dict[str, Callable[..., T]]:
        if self._plugins is None:
            self._plugins, self._broken = {}, {}
            for name, points in self._points().items():
                try:
                    self._plugins[name] = self._load(name, points)
                except Exception as error:
                    warnings.warn(f"{self.kind} plug-in {name!r}: {error}", stacklevel=3)
                    if name not in self._builtin:
                        self._broken[name] = f"its plug-in cannot be used: {one_line(error)}"
        return {**self._plugins, **self._builtin}

    def _points(self) -> dict[str, list[EntryPoint]]:
        """By name, the entry points that name different things."""
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            if point.value not in {other.value for other in found.setdefault(point.name, [])}:
                found[point.name].append(point)
        return found

    def _load(self, name: str, points: list[EntryPoint]) -> Callable[..., T]:
        what = " and ".join(point.value for point in points)
        if name in self._builtin:
            raise ValueError(f"{what} is ignored; the name is built in")
        if len(points) > 1:
            raise ValueError(f"{what} claim the name; rename all but one")
        loaded: Callable[..., T] = points[0].load()
        return loaded
