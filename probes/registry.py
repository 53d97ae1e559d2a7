"""Probes by name: the built-in methods, registered classes, and other distributions' plug-ins."""

import difflib
import importlib
import inspect
import warnings
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from probes.base import Probe

ENTRY_POINT_GROUP = "quirky.probes"

BUILT_IN = {
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
        raise ValueError(f"probe {cls.name!r} is registered already, by {_place(taken)}")
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
    """The names of all probes, sorted. A plug-in that does not import is a warning."""
    names = {*BUILT_IN, *_registered}
    for plugin in entry_points(group=ENTRY_POINT_GROUP):
        if plugin.name in BUILT_IN:
            warnings.warn(
                f"plug-in {_label(plugin)} is ignored: {plugin.name!r} is a built-in probe",
                stacklevel=2,
            )
            continue
        try:
            _load(plugin)
        except ValueError as error:
            warnings.warn(str(error), stacklevel=2)
        else:
            names.add(plugin.name)
    return sorted(names)


def probe_class(name: str) -> type[Probe]:
    """The class of this name: built-in, else registered, else a plug-in's."""
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        built_in: type[Probe] = getattr(importlib.import_module(module), attribute)
        return built_in
    if name in _registered:
        return _registered[name]
    plugin = _plugin(name)
    if plugin is None:
        raise ValueError(_unknown("probe", name, list_probes()))
    return _load(plugin)


def distribution_of(name: str) -> tuple[str, str] | None:
    """Name and version of the distribution whose plug-in this is; None for all other probes."""
    if name in BUILT_IN or name in _registered:
        return None
    plugin = _plugin(name)
    if plugin is None or plugin.dist is None:
        return None
    return plugin.dist.name, plugin.dist.version


def _plugin(name: str) -> EntryPoint | None:
    claims = list(entry_points(group=ENTRY_POINT_GROUP, name=name))
    if len({(_label(claim), claim.value) for claim in claims}) > 1:
        labels = " and ".join(sorted(_label(claim) for claim in claims))
        raise ValueError(f"two plug-ins claim the name {name!r}: {labels}; uninstall one")
    return claims[0] if claims else None


def _load(plugin: EntryPoint) -> type[Probe]:
    try:
        cls = plugin.load()
        require_contract(cls)
    except Exception as error:  # whatever a stranger's module raises
        cause = f"{type(error).__name__}: {error}"
        raise ValueError(f"plug-in {_label(plugin)} is broken: {cause}") from error
    if cls.name != plugin.name:
        raise ValueError(
            f"plug-in {_label(plugin)} is broken: its class calls itself {cls.name!r}; "
            "the entry point and the class variable `name` must agree"
        )
    return cls


def _label(plugin: EntryPoint) -> str:
    if plugin.dist is None:
        return f"{plugin.name!r} ({plugin.value})"
    return f"{plugin.name!r} of {plugin.dist.name} {plugin.dist.version}"


def require_contract(cls: Any) -> None:
    """ValueError unless this is a probe class with its class variables."""
    if not (inspect.isclass(cls) and issubclass(cls, Probe)):
        raise ValueError(f"{cls!r} is not a probe class: derive it from probes.Probe")
    known = {
        "reads": ("prompt", "pair", "tokens"),
        "supervision": ("labels", "sign", "none"),
    }
    if not isinstance(getattr(cls, "name", None), str):
        raise ValueError(f"{cls.__name__} has no `name`: give it a class variable name = '...'")
    for variable, values in known.items():
        value = getattr(cls, variable, None)
        if value not in values:
            raise ValueError(f"{cls.__name__}.{variable} is {value!r}; known: {', '.join(values)}")


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _unknown(what: str, given: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown {what} {given!r}; {hint}known: {', '.join(names)}"
