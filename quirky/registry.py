"""Names of tasks and triggers, built in or brought by another installed package."""

import difflib
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error that names what was asked for, the nearest known name, and all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(names)}")


class Registry(Generic[T]):
    """Factories by name; those of other packages come from an entry-point group, loaded late."""

    def __init__(self, kind: str, group: str):
        self.kind = kind
        self.group = group
        self._builtin: dict[str, Callable[..., T]] = {}
        self._plugins: dict[str, Callable[..., T]] | None = None

    def builtin(self, name: str, factory: Callable[..., Any]) -> None:
        """Add a built-in factory."""
        self._builtin[name] = factory

    def names(self) -> list[str]:
        """Return every known name, sorted."""
        return sorted(self._factories())

    def make(self, name: str, params: Mapping[str, object]) -> T:
        """Return `factory(**params)`.

        Raises:
            ValueError: if the name or a parameter is unknown, or a parameter has a wrong value.
        """
        factory = self.factory(name)
        known = list(inspect.signature(factory).parameters)
        for param in params:
            if param not in known:
                raise unknown(f"parameter of {self.kind} {name!r}:", param, known or ["(none)"])
        return factory(**params)

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory of that name.

        Raises:
            ValueError: if there is none.
        """
        factories = self._factories()
        if name not in factories:
            raise unknown(self.kind, name, factories)
        return factories[name]

    def _factories(self) -> dict[str, Callable[..., T]]:
        if self._plugins is None:
            self._plugins = {}
            for point in entry_points(group=self.group):
                try:
                    self._plugins[point.name] = point.load()
                except Exception as error:
                    warnings.warn(f"{self.kind} plug-in {point.name!r}: {error}", stacklevel=3)
        return {**self._plugins, **self._builtin}
