"""One registry for every kind of named thing that Quirky ships and others may add.

A name can come from three sources:

- built in: every module below a package is imported when a name is first needed, and registers what
  it defines. Adding a built-in is one new file.
- registered: a user's file or notebook calls `register`.
- installed: an entry point of another distribution, imported when it is first needed.
"""

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from quirky.plugins.errors import one_line, unknown
from quirky.plugins.loading import location_of

T = TypeVar("T")
AnyThing = TypeVar("AnyThing", bound=Callable[..., Any])


class BrokenPluginError(ValueError):
    """An installed plug-in does not import, or is not what its entry point promises."""


class Registry(Generic[T]):
    """Classes or functions of one kind by name.

    Args:
        kind: what an error calls them, such as "task".
        group: the entry-point group of other distributions.
        package: the package whose modules hold the built-ins.
        check: called with the name and the thing before it is accepted; raises ValueError.
    """

    def __init__(
        self, kind: str, group: str, package: str, check: Callable[[str, Any], None] | None = None
    ):
        self.kind = kind
        self.group = group
        self.package = package
        self._check = check
        self._built_in: dict[str, T] = {}
        self._registered: dict[str, T] = {}
        self._imported = False

    def register(self, name: str, thing: AnyThing) -> AnyThing:
        """Make a thing known by its name, and return it.

        The same class defined again, as in a notebook, replaces the earlier one.

        Raises:
            ValueError: if the name is built in or taken, or if `check` refuses the thing.
        """
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            # A partial, for one, has no source that results could be keyed by.
            raise ValueError(
                f"{self.kind} {name!r} is an object of {type(thing).__name__}, not a class or a "
                "function"
            )
        if self._check:
            self._check(name, thing)
        if thing.__module__.startswith(f"{self.package}."):
            self._add_built_in(name, thing)
            return thing
        if name in self._built_ins():
            raise ValueError(f"{name!r} is a built-in {self.kind}; choose another name")
        taken = self._registered.get(name)
        if taken is not None and _place(taken) != _place(thing):
            raise ValueError(
                f"two plug-ins claim the name {name!r}: {_describe(taken)} and {_describe(thing)}; "
                "rename one"
            )
        self._registered[name] = thing  # type: ignore[assignment]
        return thing

    def names(self) -> list[str]:
        """Return every usable name, sorted; a plug-in that cannot be used is a warning."""
        names = {*self._built_ins(), *self._registered}
        for name in self._installed_names():
            if name in self._built_in:
                owners = " and ".join(map(_label, self._entry_points(name)))
                warnings.warn(f"plug-in {owners} is ignored: {name!r} is built in", stacklevel=2)
                continue
            try:
                self.get(name)
            except ValueError as error:
                warnings.warn(str(error), stacklevel=2)
                names.discard(name)
            else:
                names.add(name)
        return sorted(names)

    def get(self, name: str) -> T:
        """Return the thing of this name: built in, else registered, else installed.

        Raises:
            ValueError: if the name is unknown or claimed twice, or if its plug-in is broken.
        """
        built_in = self._built_ins()
        if name in built_in:
            return built_in[name]
        points = self._entry_points(name)
        if not points:
            if name in self._registered:
                return self._registered[name]
            raise unknown(self.kind, name, {*built_in, *self._registered, *self._installed_names()})
        if len(points) > 1:
            owners = " and ".join(sorted(map(_label, points)))
            raise ValueError(f"two plug-ins claim the name {name!r}: {owners}; uninstall one")
        thing = self._load(points[0])
        other = self._registered.get(name, thing)
        if other is not thing:
            raise ValueError(
                f"two plug-ins claim the name {name!r}: {_label(points[0])} and "
                f"{_describe(other)}; rename one"
            )
        return thing

    def is_built_in(self, name: str) -> bool:
        """Return whether a name is built in."""
        return name in self._built_ins()

    def source_of(self, name: str) -> str:
        """Return where a name comes from: "built in", a distribution and its version, or a file.

        Raises:
            ValueError: as `get`.
        """
        return "built in" if self.is_built_in(name) else location_of(self.get(name))

    def _built_ins(self) -> dict[str, T]:
        if not self._imported:
            self._imported = True  # before the imports, which may ask for names themselves
            try:
                self._import_package()
            except BaseException:
                self._imported = False  # a later call must not take some built-ins for all of them
                raise
        return self._built_in

    def _import_package(self) -> None:
        package = importlib.import_module(self.package)
        for module in pkgutil.walk_packages(package.__path__, f"{self.package}."):
            importlib.import_module(module.name)

    def _add_built_in(self, name: str, thing: Any) -> None:
        other = self._built_in.get(name)
        if other is not None and _place(other) != _place(thing):
            raise ValueError(
                f"two built-in {self.kind}s are called {name!r}: {_place(other)}, {_place(thing)}"
            )
        self._built_in[name] = thing

    def _installed_names(self) -> set[str]:
        return {point.name for point in entry_points(group=self.group)}

    def _entry_points(self, name: str) -> list[EntryPoint]:
        """Return the entry points of a name, those that point to the same object once."""
        points = {point.value: point for point in entry_points(group=self.group, name=name)}
        return list(points.values())

    def _load(self, point: EntryPoint) -> T:
        try:
            thing: T = point.load()
            if self._check:
                self._check(point.name, thing)
        except (Exception, SystemExit) as error:  # another distribution's module may raise anything
            raise BrokenPluginError(
                f"plug-in {_label(point)} is broken: {one_line(error)}"
            ) from error
        return thing


def _place(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _describe(thing: Any) -> str:
    return f"{thing.__qualname__} of {location_of(thing)}"


def _label(point: EntryPoint) -> str:
    """Return the name of an entry point and its distribution."""
    if point.dist is None:
        return f"{point.name!r} ({point.value})"
    return f"{point.name!r} of {point.dist.name} {point.dist.version}"
