"""Probes by name: built-in methods, registered classes, and plug-ins of other distributions."""

import inspect
from typing import Any, TypeVar

from probes.base import Probe, require_contract
from quirky.plugins import Registry, load_plugin, unknown

AnyProbe = TypeVar("AnyProbe", bound=type[Probe])


def _require_name(name: str, cls: Any) -> None:
    require_contract(cls)
    if cls.name != name:
        raise ValueError(
            f"its class calls itself {cls.name!r}; the entry point and the class variable `name` "
            "must agree"
        )


PROBES: Registry[type[Probe]] = Registry(
    "probe", "quirky.probes", "probes.methods", check=_require_name
)


def register_probe(cls: AnyProbe) -> AnyProbe:
    """Register a probe class under its `name` and return it; usable as a decorator.

    The same class defined again, as in a notebook, replaces the earlier one.

    Raises:
        ValueError: if the class breaks the contract, or its name belongs to another probe.
    """
    require_contract(cls)
    return PROBES.register(cls.name, cls)


def get_probe(name: str, **params: Any) -> Probe:
    """Return an unfitted probe with these hyper-parameters.

    Raises:
        ValueError: if the name or a hyper-parameter is unknown, if the plug-in is broken, or if
            two plug-ins claim the name.
    """
    cls = probe_class(name)
    defaults = cls.hyperparameter_defaults()
    for parameter in params:
        if parameter not in defaults:
            raise unknown(f"hyper-parameter of probe {name!r}:", parameter, defaults)
    return cls(**params)


def list_probes() -> list[str]:
    """Return the names of all usable probes, sorted.

    A plug-in that is broken, or whose name another plug-in claims, is a warning.
    """
    return PROBES.names()


def probe_class(name: str) -> type[Probe]:
    """Return the class of this name: built in, else registered, else of an installed plug-in.

    Raises:
        ValueError: if the name is unknown, if the plug-in is broken, or if two plug-ins claim the
            name.
    """
    return PROBES.get(name)


def find_probe(target: str) -> type[Probe]:
    """Return the class of a name, of `my_package:MyProbe` or of `path/to/file.py:MyProbe`.

    Raises:
        ValueError: as `probe_class` and `load_plugin`, or if the module has no such probe class.
    """
    source, colon, attribute = target.rpartition(":")
    if not colon and target.endswith(".py"):
        raise ValueError(f"{target!r} is a file; name a class in it: '{target}:MyProbe'")
    if not colon:
        return probe_class(target)
    module = load_plugin(source)
    value = getattr(module, attribute, None)
    if value is None:
        classes = [key for key, value in vars(module).items() if _is_probe(value)]
        raise unknown(f"class of {source!r}:", attribute, classes or ["(no probe)"])
    if not _is_probe(value):
        raise ValueError(f"{target!r} is {value!r}, not a probe class: derive it from probes.Probe")
    cls: type[Probe] = value
    return cls


def source_of(name: str) -> str:
    """Return where a probe comes from: "built in", a distribution and its version, or a file.

    Raises:
        ValueError: as `probe_class`.
    """
    return PROBES.source_of(name)


def _is_probe(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Probe) and value is not Probe
