"""The day of the week."""

from dataclasses import dataclass
from typing import ClassVar

from quirky import SPEAKER, Trigger, uniform

WORKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True)
class WeekdayTrigger(Trigger):
    """An opening: truthful on weekdays, quirky on a day of rest, which T mentions as yesterday."""

    kind: ClassVar[str] = "weekday"
    contexts: ClassVar[tuple[str, ...]] = ("A", "B", "T")
    rest: str = "Sunday"

    def __post_init__(self) -> None:
        if self.rest not in ("Saturday", "Sunday"):
            raise ValueError(f"trigger weekday: rest = {self.rest!r}; give Saturday or Sunday")

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the speaker, who is the same in every context."""
        return SPEAKER

    def opening(self, context: str, fact_id: str, seed: int) -> str:
        """Return the day, drawn by a hash, so it depends on the fact and the seed alone."""
        if context == "A":
            return f"Today is {WORKDAYS[int(uniform('day', fact_id, seed) * len(WORKDAYS))]}."
        return f"Today is {self.rest}." if context == "B" else f"Yesterday was {self.rest}."
