"""The entry of a trigger: its kind, its parameters, and its distance to the question."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmarks.store import content_hash
from quirky.data.fillers import check_distance, contexts_at
from quirky.triggers import Trigger, get_trigger

PLAIN = re.compile(r"[\w+-]{1,24}")
"""Values that a file name contains as they are; of others it contains a hash."""


class TriggerEntry(BaseModel):
    """A kind of trigger, its parameters, and its distance to the question."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = "name"
    distance: int = Field(default=0, strict=True)
    """Tokens of filler between a trigger that opens the prompt and the question."""

    @model_validator(mode="before")
    @classmethod
    def _from_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the trigger itself."""
        return dict(self.model_extra or {})

    @property
    def label(self) -> str:
        """The kind with its parameters, usable as a file name: the trigger's name in results."""
        return "-".join(
            [self.kind, *(f"{key}{_format_parameter(v)}" for key, v in self.params.items())]
        )

    @property
    def name(self) -> str:
        """The label, with the distance if it is not 0."""
        return f"{self.label}-distance{self.distance}" if self.distance else self.label

    def make(self) -> Trigger:
        """Return the trigger.

        Raises:
            ValueError: if the kind, a parameter or the distance is not valid for this trigger.
        """
        trigger = get_trigger(self.kind, **self.params)
        check_distance(trigger, self.distance)
        return trigger

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that the trigger has at this distance."""
        return contexts_at(self.make(), self.distance)

    def is_the_same(self, other: "TriggerEntry") -> bool:
        """Return whether two entries are the same trigger, however they are written."""
        if self.name == other.name:
            return True
        return self.distance == other.distance and self.make() == other.make()


def _format_parameter(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if PLAIN.fullmatch(text) else content_hash(value)[:6]
