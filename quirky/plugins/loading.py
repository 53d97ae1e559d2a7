"""Code that a user names: a module or a file to import, and where a class comes from."""

import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

from quirky.plugins.errors import one_line


def load_plugin(source: str) -> ModuleType:
    """Import a module or a .py file, whose tasks, triggers, probes or rules register themselves.

    The current folder is searched for modules too. A file is executed again at every call.

    Raises:
        ValueError: one line, if the file does not exist or the import fails.
    """
    try:
        return _import_file(Path(source)) if source.endswith(".py") else _import_module(source)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise ValueError(f"plug-in {source!r} does not import: {one_line(error)}") from error


def _import_module(name: str) -> ModuleType:
    working_directory = os.getcwd()
    if working_directory not in sys.path:
        sys.path.append(working_directory)  # last, so that it never hides an installed package
    return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    stem = re.sub(r"\W", "_", path.stem)
    name = f"{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # None only for an unknown suffix
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def distribution_of(module: str) -> tuple[str, str] | None:
    """Return the name and version of the distribution that a module belongs to, if any."""
    names = _distributions().get(module.partition(".")[0])
    return (names[0], version(names[0])) if names else None


def location_of(thing: object) -> str:
    """Return where a class or function comes from: a distribution, else a file, else a module."""
    module = getattr(thing, "__module__", "") or ""
    if distribution := distribution_of(module):
        return " ".join(distribution)
    try:
        return inspect.getfile(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return module
