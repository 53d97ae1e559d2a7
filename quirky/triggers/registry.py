"""The registry of triggers: built-in ones, and those that plug-ins register."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, overload

from quirky.plugins import Registry, one_line
from quirky.plugins.construction import construct
from quirky.triggers.base import Trigger

TriggerFactory = TypeVar("TriggerFactory", bound=Callable[..., Trigger])

TRIGGERS: Registry[Callable[..., Trigger]] = Registry(
    "trigger", "quirky.triggers", "quirky.triggers"
)


@overload
def register_trigger(factory: TriggerFactory, *, kind: str | None = None) -> TriggerFactory: ...
@overload
def register_trigger(*, kind: str) -> Callable[[TriggerFactory], TriggerFactory]: ...
def register_trigger(factory: Any = None, *, kind: str | None = None) -> Any:
    """Register a trigger; usable as a decorator.

    A class is registered by its `kind`. A function or a `functools.partial` that returns a trigger
    needs an explicit kind, which the trigger it returns must have.

    Raises:
        ValueError: if a class is not a subclass of `Trigger`, or if the kind is missing, built in
            or already registered.
    """
    if factory is None:
        return partial(register_trigger, kind=kind)
    if inspect.isclass(factory) and not issubclass(factory, Trigger):
        raise ValueError(f"{factory.__name__} is not a trigger; subclass quirky.Trigger")
    kind = kind or getattr(factory, "kind", None)
    if not isinstance(kind, str):
        raise ValueError(
            f"{factory!r} has no `kind`; set one on the class, or write "
            "register_trigger(factory, kind=...)"
        )
    return TRIGGERS.register(kind, factory)


def get_trigger(kind: str, **params: object) -> Trigger:
    """Return a trigger by kind.

    Raises:
        ValueError: if the kind or a parameter is unknown or a value is wrong, or if a plug-in does
            not return a `Trigger` of that kind.
    """
    trigger = construct("trigger", kind, TRIGGERS.get(kind), params)
    _check_trigger(kind, trigger)
    return trigger


def list_triggers() -> list[str]:
    """Return the kinds of all usable triggers, sorted."""
    return TRIGGERS.names()


def _check_trigger(kind: str, trigger: object) -> None:
    """Check that a plug-in made a trigger, and that it has texts for each of its contexts."""
    if not isinstance(trigger, Trigger):
        name = type(trigger).__name__
        raise ValueError(f"trigger {kind}: {name} is not a trigger; subclass quirky.Trigger")
    if not hasattr(trigger, "kind"):
        raise ValueError(f"trigger {kind}: it has no attribute `kind`, as every trigger has")
    if trigger.kind != kind:
        raise ValueError(f"trigger {kind}: its `kind` is {trigger.kind!r}; the two must be equal")
    contexts = trigger.contexts
    if not isinstance(contexts, list | tuple):
        raise ValueError(f"trigger {kind}: contexts = {contexts!r}; give a tuple, as in ('A', 'B')")
    for context in contexts:
        for method in (trigger.opening, trigger.render):
            call = f"trigger {kind}: {method.__name__}({context!r}, 'fact', 0)"
            try:
                text = method(context, "fact", 0)
            except Exception as error:  # a plug-in may raise anything
                raise ValueError(f"{call} fails: {one_line(error)}") from error
            if not isinstance(text, str):
                raise ValueError(f"{call} returns {text!r}; return a text")
