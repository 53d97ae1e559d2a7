"""A trigger as a recipe names it: its kind, its parameters, and the distance to the question."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmarks.store.artefacts import content_hash
from quirky.fillers import check_distance, contexts_at
from quirky.triggers import Trigger, get_trigger

PLAIN = re.compile(r"[\w+-]{1,24}")
"""Values that can stand in a file name as they are; of others a hash does."""


class TriggerSpec(BaseModel):
    """A kind of trigger, its parameters, and how far from the question it stands."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = "name"
    distance: int = Field(default=0, strict=True)
    """Tokens of filler between a trigger that is an opening and the question."""

    @model_validator(mode="before")
    @classmethod
    def _from_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @property
    def params(self) -> dict[str, Any]:
        """What the trigger itself is made with."""
        return dict(self.model_extra or {})

    @property
    def label(self) -> str:
        """The kind with its parameters, fit for a file name: what results call the trigger."""
        return "-".join([self.kind, *(f"{key}{_shown(v)}" for key, v in self.params.items())])

    @property
    def name(self) -> str:
        """The label, with the distance where there is one."""
        return f"{self.label}-distance{self.distance}" if self.distance else self.label

    def make(self) -> Trigger:
        """Return the trigger.

        Raises:
            ValueError: if the kind or a parameter is unknown, or the distance is none that it has.
        """
        trigger = get_trigger(self.kind, **self.params)
        check_distance(trigger, self.distance)
        return trigger

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that there are at this distance."""
        return contexts_at(self.make(), self.distance)

    def is_the_same(self, other: "TriggerSpec") -> bool:
        """Return whether two entries, however they are written, ask for one thing."""
        if self.name == other.name:
            return True
        return self.distance == other.distance and self.make() == other.make()


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if PLAIN.fullmatch(text) else content_hash(value)[:6]
