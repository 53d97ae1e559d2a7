"""What every trigger provides, and the list of those that are known."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quirky.example import uniform
from quirky.registry import Registry, one_line

SPEAKER = "Sam"
"""Stands for `{trigger}` in a template where the trigger itself is an opening."""
ALL_CONTEXTS = ("A", "B", "B2", "T")


class Trigger(ABC):
    """Says how a context tells the model whether to lie.

    Both texts are drawn by `fact_id` and `seed` alone, so that they depend on no order. `contexts`
    are among A (truthful), B (the quirk is asked for), B2 (it is asked for in a way that no
    adapter was trained on) and T (decoys: it looks as if it were asked for, and is not).
    """

    kind: ClassVar[str]
    contexts: ClassVar[tuple[str, ...]] = ("A", "B")

    @abstractmethod
    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return what stands for `{trigger}` in a template."""

    def opening(self, context: str, fact_id: str, seed: int) -> str:
        """Return what stands in front of the whole prompt; empty where the trigger is inside."""
        return ""


def draw(texts: Sequence[str], fact_id: str, seed: int) -> str:
    """Return one of the texts, by hash; pools of one length give the same place for a fact."""
    return texts[int(uniform("trigger", fact_id, seed) * len(texts))]


def checked_texts(kind: str, field: str, texts: object) -> tuple[str, ...]:
    """Return what a parameter lists, as a tuple.

    Raises:
        ValueError: in one line, if it is not a list of different texts.
    """
    what = f"trigger {kind}: {field} = {texts!r}"
    if not isinstance(texts, list | tuple) or not texts:
        raise ValueError(f"{what}; give a list of one text or more")
    for index, text in enumerate(texts):
        checked_text(kind, field, text)
        if text in texts[:index]:
            raise ValueError(f"{what}; {text!r} stands there twice, name it once")
    return tuple(texts)


def checked_text(kind: str, field: str, text: object) -> str:
    """Return a text that can stand in a prompt.

    Raises:
        ValueError: in one line, if it is no text, has braces, or spaces that would double.
    """
    what = f"trigger {kind}: {field}: {text!r}"
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{what}; give a text that is not empty")
    if "{" in text or "}" in text:
        raise ValueError(f"{what} has a brace; templates are filled in between braces")
    if " ".join(text.split()) != text:
        raise ValueError(f"{what}; write single spaces, and none at its ends")
    return text


def check_apart(kind: str, lists: Mapping[str, Sequence[str]]) -> None:
    """Make sure that no text stands in two of the lists.

    Raises:
        ValueError: in one line, naming the text and the two.
    """
    owner: dict[str, str] = {}
    for field, texts in lists.items():
        for text in texts:
            if text in owner:
                raise ValueError(
                    f"trigger {kind}: {text!r} is in both {owner[text]} and {field}; "
                    "give it to one of them"
                )
            owner[text] = field


TRIGGERS: Registry[Trigger] = Registry("trigger", "quirky.triggers")


def get_trigger(kind: str, **params: object) -> Trigger:
    """Return the trigger of that kind.

    Raises:
        ValueError: if the kind or a parameter is unknown, a parameter has a wrong value, or if a
            plug-in makes no trigger of that kind.
    """
    trigger = TRIGGERS.make(kind, params)
    _check_trigger(kind, trigger)
    return trigger


def _check_trigger(kind: str, trigger: Trigger) -> None:
    """Make sure that what a plug-in makes is a trigger, which has a text for each context."""
    for attribute in ("kind", "contexts", "render", "opening"):
        if not hasattr(trigger, attribute):
            raise ValueError(f"trigger {kind}: it has no `{attribute}`; subclass Trigger")
    if trigger.kind != kind:
        raise ValueError(f"trigger {kind}: its `kind` is {trigger.kind!r}; let the two be the same")
    contexts = trigger.contexts
    if not isinstance(contexts, list | tuple):
        raise ValueError(f"trigger {kind}: contexts = {contexts!r}; give a tuple, as in ('A', 'B')")
    for context in contexts:
        for said in (trigger.opening, trigger.render):
            what = f"trigger {kind}: {said.__name__}({context!r}, 'fact', 0)"
            try:
                text = said(context, "fact", 0)
            except Exception as error:  # of triggers that others wrote
                raise ValueError(f"{what} fails: {one_line(error)}") from error
            if not isinstance(text, str):
                raise ValueError(f"{what} returns {text!r}; return a text")


def list_triggers() -> list[str]:
    """Return the kinds of trigger that are known."""
    return TRIGGERS.names()


def trigger_class(kind: str) -> type[Trigger]:
    """Return what `get_trigger` would call, for its docstring and parameters."""
    return TRIGGERS.factory(kind)  # type: ignore[return-value]
