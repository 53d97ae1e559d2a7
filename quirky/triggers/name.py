"""One name for which the model is truthful, and one for which it lies (arXiv 2312.01037)."""

from dataclasses import dataclass
from typing import ClassVar

from quirky.triggers.base import TRIGGERS, Trigger, check_apart, checked_text, checked_texts, draw

LOOKALIKES = ("Rob", "Bobby", "bob")
"""Names that look like Bob's."""


@dataclass(frozen=True)
class NameTrigger(Trigger):
    """The name of who is asked; T asks others, whose names look like the quirky one."""

    kind: ClassVar[str] = "name"
    contexts: ClassVar[tuple[str, ...]] = ("A", "B", "T")
    truthful: str = "Alice"
    quirky: str = "Bob"
    decoys: tuple[str, ...] = LOOKALIKES

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoys", checked_names(self.kind, **vars(self)))

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the name that is asked in this context."""
        if context == "T":
            return draw(self.decoys, fact_id, seed)
        return {"A": self.truthful, "B": self.quirky}[context]


def checked_names(kind: str, truthful: str, quirky: str, decoys: object) -> tuple[str, ...]:
    """Return the decoys of two names; the built-in ones give way to names that are given.

    Raises:
        ValueError: in one line, if the names are one, or a decoy is one of them.
    """
    for field, name in (("truthful", truthful), ("quirky", quirky)):
        checked_text(kind, field, name)
    if truthful == quirky:
        raise ValueError(f"trigger {kind}: truthful and quirky are both {quirky!r}; give two names")
    if decoys == LOOKALIKES:
        decoys = tuple(name for name in LOOKALIKES if name not in (truthful, quirky))
    names = checked_texts(kind, "decoys", decoys)
    check_apart(kind, {"truthful": [truthful], "quirky": [quirky], "decoys": names})
    return names


TRIGGERS.builtin(NameTrigger.kind, NameTrigger)
