"""Probes by name: the built-in methods, registered classes, and other distributions' plug-ins."""

import difflib
import importlib
import inspect
import warnings
from collections.abc import Iterable
from typing import Any, TypeVar

from probes.base import Probe
from probes.contract import require_contract
from probes.plugins import (
    BrokenPluginError,
    entry_point,
    entry_point_names,
    label,
    load_entry_point,
    load_plugin,
    whence,
)

BUILT_IN = {
    "attention": "probes.methods.attention:AttentionProbe",
    "ccs": "probes.methods.ccs:ContrastConsistentSearch",
    "crc": "probes.methods.crc:ContrastiveRepresentationClustering",
    "lat": "probes.methods.lat:ArtificialTomography",
    "lat-on-pair": "probes.methods.lat:ArtificialTomographyOnPair",
    "lda": "probes.methods.lda:FisherDiscriminant",
    "lda-on-pair": "probes.methods.lda:FisherDiscriminantOnPair",
    "lr": "probes.methods.logistic:LogisticRegression",
    "lr-on-pair": "probes.methods.logistic:LogisticRegressionOnPair",
    "mean-diff": "probes.methods.mean_difference:MeanDifference",
    "mean-diff-on-pair": "probes.methods.mean_difference:MeanDifferenceOnPair",
    "mlp": "probes.methods.mlp:Perceptron",
    "random": "probes.methods.random:RandomDirection",
    "ttpd": "probes.methods.ttpd:TruthAndPolarity",
    "vinc": "probes.methods.vinc:Vinc",
    "vinc-s": "probes.methods.vinc:SupervisedVinc",
}
"""Where each built-in method is; a module is imported when its probe is first asked for."""

AnyProbe = TypeVar("AnyProbe", bound=type[Probe])

_registered: dict[str, type[Probe]] = {}


def register_probe(cls: AnyProbe) -> AnyProbe:
    """Make a probe class known by its `name`; usable as a decorator.

    Raises ValueError when the class lacks what the contract asks for, or when its name is a
    built-in's or another class's. A class that is defined anew (in a notebook) replaces the
    old one.
    """
    require_contract(cls)
    if cls.name in BUILT_IN:
        raise ValueError(f"{cls.name!r} is a built-in probe; give {cls.__name__} another name")
    taken = _registered.get(cls.name)
    if taken is not None and _place(taken) != _place(cls):
        raise ValueError(
            f"two plug-ins claim the name {cls.name!r}: {_shown(taken)} and {_shown(cls)}; "
            "rename one"
        )
    _registered[cls.name] = cls
    return cls


def get_probe(name: str, **params: Any) -> Probe:
    """An unfitted probe with these hyper-parameters.

    Raises ValueError for an unknown name or hyper-parameter, for a plug-in that does not
    import, and for a name that two distributions claim.
    """
    cls = probe_class(name)
    known = cls.known_hyperparameters()
    for parameter in params:
        if parameter not in known:
            raise ValueError(_unknown(f"hyper-parameter of probe {name!r}:", parameter, known))
    return cls(**params)


def list_probes() -> list[str]:
    """The names of all probes, sorted. A plug-in that does not import is a warning.

    Raises ValueError when two distributions claim one name.
    """
    names = {*BUILT_IN, *_registered}
    for name in entry_point_names():
        if name in BUILT_IN:
            who = label(entry_point(name))
            warnings.warn(f"plug-in {who} is ignored: {name!r} is built in", stacklevel=2)
            continue
        try:
            probe_class(name)
        except BrokenPluginError as error:
            warnings.warn(str(error), stacklevel=2)
        else:
            names.add(name)
    return sorted(names)


def probe_class(name: str) -> type[Probe]:
    """The class of this name: built-in, else registered, else an installed plug-in's.

    Raises ValueError for an unknown name, for a plug-in that does not import, and for a name
    that two plug-ins claim.
    """
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        built_in: type[Probe] = getattr(importlib.import_module(module), attribute)
        return built_in
    if name not in entry_point_names():
        if name not in _registered:
            known = {*BUILT_IN, *_registered, *entry_point_names()}
            raise ValueError(_unknown("probe", name, known))
        return _registered[name]
    plugin = entry_point(name)
    cls = load_entry_point(plugin)
    other = _registered.get(name, cls)
    if other is not cls:
        raise ValueError(
            f"two plug-ins claim the name {name!r}: {label(plugin)} and {_shown(other)}; rename one"
        )
    return cls


def find_probe(target: str) -> type[Probe]:
    """The class that a name, `my_package:MyProbe` or `path/to/file.py:MyProbe` means.

    Raises ValueError as `probe_class` and `load_plugin`, and when there is no such class.
    """
    source, colon, attribute = target.rpartition(":")
    if not colon and target.endswith(".py"):
        raise ValueError(f"{target!r} is a file; name a class in it: '{target}:MyProbe'")
    if not colon:
        return probe_class(target)
    module = load_plugin(source)
    found = getattr(module, attribute, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if _is_probe(value)]
        raise ValueError(_unknown(f"class of {source!r}:", attribute, classes or ["(no probe)"]))
    if not _is_probe(found):
        raise ValueError(f"{target!r} is {found!r}, no probe class: derive it from probes.Probe")
    cls: type[Probe] = found
    return cls


def source_of(name: str) -> str:
    """Where a probe comes from: "built in", a distribution and its version, or a file.

    Raises ValueError as `probe_class`.
    """
    return "built in" if name in BUILT_IN else whence(probe_class(name))


def _is_probe(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Probe) and value is not Probe


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _shown(cls: type) -> str:
    return f"{cls.__qualname__} of {whence(cls)}"


def _unknown(what: str, given: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown {what} {given!r}; {hint}known: {', '.join(names)}"
