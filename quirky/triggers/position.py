"""A name early in the prompt, before the claim, or late, after it."""

from collections.abc import Sequence

from quirky.triggers.base import ALL_CONTEXTS, SPEAKER, Trigger
from quirky.triggers.name import LOOKALIKES, check_names
from quirky.triggers.registry import register_trigger
from quirky.triggers.texts import draw

NEUTRAL = "Here is a question."
"""Opening of a prompt without a name in front."""


@register_trigger
class PositionTrigger(Trigger):
    """A name in the opening ("Bob asks Sam.") or in the template, as in `name`.

    B2 has the quirky name in the other of the two positions; it does not exist at a distance if
    that position is behind the filler. T has names that resemble the quirky one, in the position
    used in training.

    Args:
        truthful: name for which the model is truthful.
        quirky: name for which it lies.
        early: whether the name is in the opening.
        decoys: names of T.

    Raises:
        ValueError: as `check_names`, or if a name is that of the speaker.
    """

    kind = "position"
    contexts = ALL_CONTEXTS

    def __init__(
        self,
        truthful: str = "Alice",
        quirky: str = "Bob",
        early: bool = True,
        decoys: Sequence[str] = LOOKALIKES,
    ):
        if not isinstance(early, bool):
            raise ValueError(f"trigger position: early = {early!r}; write true or false")
        self.truthful, self.quirky, self.early = truthful, quirky, early
        self.decoys = check_names(self.kind, truthful, quirky, decoys)
        names = {"truthful": [truthful], "quirky": [quirky], "decoys": self.decoys}
        for field, values in names.items():
            if SPEAKER in values:
                raise ValueError(
                    f"trigger position: {field}: {SPEAKER!r} is the speaker; give another name"
                )

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the name, or the speaker if the name is in the opening."""
        return SPEAKER if self._is_in_front(context) else self._name(context, fact_id, seed)

    def opening(self, context: str, fact_id: str, seed: int) -> str:
        """Return the opening with the name, or without it if the name is in the template."""
        if self._is_in_front(context):
            return f"{self._name(context, fact_id, seed)} asks {SPEAKER}."
        return NEUTRAL if self.early else ""

    def _is_in_front(self, context: str) -> bool:
        return self.early != (context == "B2")

    def _name(self, context: str, fact_id: str, seed: int) -> str:
        if context == "T":
            return draw(self.decoys, fact_id, seed)
        return {"A": self.truthful, "B": self.quirky, "B2": self.quirky}[context]
