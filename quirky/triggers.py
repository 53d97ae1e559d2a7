"""What turns the quirk on."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from quirky.registry import Registry


class Trigger(Protocol):
    """Says how a context tells the model whether to lie."""

    kind: ClassVar[str]

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the text that stands for `context` ("A" or "B") in a prompt."""
        ...


@dataclass(frozen=True)
class NameTrigger:
    """A name: the model is truthful for one and lies for the other (arXiv 2312.01037)."""

    kind: ClassVar[str] = "name"
    truthful: str = "Alice"
    quirky: str = "Bob"

    def __post_init__(self) -> None:
        if self.truthful == self.quirky:
            raise ValueError(
                f"trigger: truthful and quirky are both {self.quirky!r}; give two names"
            )

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the name that is asked in this context."""
        return self.quirky if context.startswith("B") else self.truthful


TRIGGERS: Registry[Trigger] = Registry("trigger", "quirky.triggers")
TRIGGERS.builtin(NameTrigger.kind, NameTrigger)


def get_trigger(kind: str, **params: object) -> Trigger:
    """Return the trigger of that kind.

    Raises:
        ValueError: if the kind or a parameter is unknown.
    """
    return TRIGGERS.make(kind, params)
