"""The registry of triggers: built-in ones, and those that plug-ins register."""

from typing import TypeVar

from quirky.plugins import Registry, one_line
from quirky.plugins.construction import construct, register_class
from quirky.triggers.base import Trigger

TriggerClass = TypeVar("TriggerClass", bound=type[Trigger])


TRIGGERS: Registry[type[Trigger]] = Registry("trigger", "quirky.triggers", "quirky.triggers")


def register_trigger(cls: TriggerClass) -> TriggerClass:
    """Register a trigger class by its `kind`; usable as a decorator.

    Raises:
        ValueError: if it is not a subclass of `Trigger`, or its kind is missing, built in or taken.
    """
    return register_class(TRIGGERS, Trigger, "kind", cls)


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
