"""Probes from elsewhere: entry points of installed distributions, modules and files by name."""

import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
from importlib.metadata import EntryPoint, entry_points, packages_distributions, version
from pathlib import Path
from types import ModuleType

from probes.base import Probe
from probes.contract import require_contract

ENTRY_POINT_GROUP = "quirky.probes"


class BrokenPluginError(ValueError):
    """An installed plug-in that does not import, or is no probe."""


def load_plugin(source: str) -> ModuleType:
    """Import a module, or a .py file, whose probes register themselves.

    A module is looked for in the current folder too; a file is run anew at every call.

    Raises ValueError, in one line, when there is no such file or it does not import.
    """
    try:
        return _run_file(Path(source)) if source.endswith(".py") else _import_module(source)
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises
        raise ValueError(f"plug-in {source!r} does not import: {_cause(error)}") from error


def _import_module(name: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)  # last, so that no file there hides an installed package
    return importlib.import_module(name)


def _run_file(path: Path) -> ModuleType:
    path = path.resolve()
    stem = re.sub(r"\W", "_", path.stem)
    name = f"{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # it is None for an unknown suffix only
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def entry_point_names() -> list[str]:
    """The names that installed distributions claim, each once; nothing is imported."""
    return sorted({plugin.name for plugin in entry_points(group=ENTRY_POINT_GROUP)})


def entry_point(name: str) -> EntryPoint:
    """The entry point of one of `entry_point_names`.

    Raises ValueError, naming both distributions, when there are two.
    """
    claims = list(entry_points(group=ENTRY_POINT_GROUP, name=name))
    if len({(label(claim), claim.value) for claim in claims}) > 1:
        labels = " and ".join(sorted(label(claim) for claim in claims))
        raise ValueError(f"two plug-ins claim the name {name!r}: {labels}; uninstall one")
    return claims[0]


def load_entry_point(plugin: EntryPoint) -> type[Probe]:
    """The probe class of an entry point.

    Raises BrokenPluginError, naming the distribution, when it does not import or is no probe.
    """
    try:
        cls = plugin.load()
        require_contract(cls)
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises
        raise BrokenPluginError(f"plug-in {label(plugin)} is broken: {_cause(error)}") from error
    if cls.name != plugin.name:
        raise BrokenPluginError(
            f"plug-in {label(plugin)} is broken: its class calls itself {cls.name!r}; "
            "the entry point and the class variable `name` must agree"
        )
    return cls


def label(plugin: EntryPoint) -> str:
    """The name of an entry point and its distribution."""
    if plugin.dist is None:
        return f"{plugin.name!r} ({plugin.value})"
    return f"{plugin.name!r} of {plugin.dist.name} {plugin.dist.version}"


def whence(cls: type) -> str:
    """The distribution that a class comes from, or else its file, or else its module."""
    found = packages_distributions().get(cls.__module__.partition(".")[0])
    if found:
        return f"{found[0]} {version(found[0])}"
    try:
        return inspect.getfile(cls)
    except (OSError, TypeError):
        return cls.__module__


def _cause(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
