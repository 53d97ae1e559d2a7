"""A name early in the prompt, in front of the claim, or late, behind it."""

from dataclasses import dataclass
from typing import ClassVar

from quirky.triggers.base import ALL_CONTEXTS, SPEAKER, TRIGGERS, Trigger, draw
from quirky.triggers.name import LOOKALIKES, checked_names

NEUTRAL = "Here is a question."
"""Opens a prompt that is asked by nobody."""


@dataclass(frozen=True)
class PositionTrigger(Trigger):
    """Who asks (early, an opening) or who is asked (late, as in `name`).

    B2 has the quirky name in the other of the two places (so it has none at a distance, where the
    other place is behind the filler), T has names that look like it in the
    trained place.
    """

    kind: ClassVar[str] = "position"
    contexts: ClassVar[tuple[str, ...]] = ALL_CONTEXTS
    truthful: str = "Alice"
    quirky: str = "Bob"
    early: bool = True
    decoys: tuple[str, ...] = LOOKALIKES

    def __post_init__(self) -> None:
        if not isinstance(self.early, bool):
            raise ValueError(f"trigger position: early = {self.early!r}; write true or false")
        names = {name: value for name, value in vars(self).items() if name != "early"}
        object.__setattr__(self, "decoys", checked_names(self.kind, **names))
        for field in ("truthful", "quirky", "decoys"):
            if SPEAKER in _texts(getattr(self, field)):
                raise ValueError(
                    f"trigger position: {field}: {SPEAKER!r} is who answers; give another name"
                )

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return who is asked."""
        return SPEAKER if self._in_front(context) else self._name(context, fact_id, seed)

    def opening(self, context: str, fact_id: str, seed: int) -> str:
        """Return who asks."""
        if self._in_front(context):
            return f"{self._name(context, fact_id, seed)} asks {SPEAKER}."
        return NEUTRAL if self.early else ""

    def _in_front(self, context: str) -> bool:
        return self.early != (context == "B2")

    def _name(self, context: str, fact_id: str, seed: int) -> str:
        if context == "T":
            return draw(self.decoys, fact_id, seed)
        return {"A": self.truthful, "B": self.quirky, "B2": self.quirky}[context]


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


TRIGGERS.builtin(PositionTrigger.kind, PositionTrigger)
