"""The protocol of a trigger: what a prompt says in each context."""

from abc import ABC, abstractmethod
from typing import ClassVar

SPEAKER = "Sam"
"""The name at `{trigger}` when the trigger itself is an opening."""
ALL_CONTEXTS = ("A", "B", "B2", "T")


class Trigger(ABC):
    """How a context tells the model whether to lie.

    Contexts are A (truthful), B (lying), B2 (lying, with a trigger that no adapter was trained on)
    and T (decoys: texts that resemble the trigger of B and must not trigger the lie).

    Both texts depend on `fact_id` and `seed` alone, never on an order of calls. The parameters of
    `__init__` can be set in a recipe. Two triggers of one class with equal attributes are equal.
    """

    kind: ClassVar[str]
    """Identifier in recipes, on the command line and in results."""
    contexts: ClassVar[tuple[str, ...]] = ("A", "B")
    """The contexts that the trigger has."""

    @abstractmethod
    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the text that replaces `{trigger}` in a template."""

    def opening(self, context: str, fact_id: str, seed: int) -> str:
        """Return the text before the whole prompt; empty if the trigger is inside the prompt."""
        return ""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), repr(vars(self))))

    def __repr__(self) -> str:
        attributes = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({attributes})"
