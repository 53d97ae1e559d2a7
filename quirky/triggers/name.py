"""One name for which the model is truthful, and one for which it lies (arXiv 2312.01037)."""

from collections.abc import Sequence

from quirky.triggers.base import Trigger
from quirky.triggers.registry import register_trigger
from quirky.triggers.texts import check_disjoint, check_text, check_texts, draw

LOOKALIKES = ("Rob", "Bobby", "bob")
"""Names that resemble Bob."""


@register_trigger
class NameTrigger(Trigger):
    """The name in the prompt: a truthful one, a quirky one, or in T one that resembles the latter.

    Args:
        truthful: name for which the model is truthful.
        quirky: name for which it lies.
        decoys: names of T.

    Raises:
        ValueError: as `check_names`.
    """

    kind = "name"
    contexts = ("A", "B", "T")

    def __init__(
        self, truthful: str = "Alice", quirky: str = "Bob", decoys: Sequence[str] = LOOKALIKES
    ):
        self.truthful, self.quirky = truthful, quirky
        self.decoys = check_names(self.kind, truthful, quirky, decoys)

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the name."""
        if context == "T":
            return draw(self.decoys, fact_id, seed)
        return {"A": self.truthful, "B": self.quirky}[context]


def check_names(kind: str, truthful: str, quirky: str, decoys: object) -> tuple[str, ...]:
    """Return the decoys for two names; default decoys that equal one of the names are dropped.

    Raises:
        ValueError: one line, if a name is invalid, the two are equal, or a decoy is one of them.
    """
    for field, name in (("truthful", truthful), ("quirky", quirky)):
        check_text(kind, field, name)
    if truthful == quirky:
        raise ValueError(f"trigger {kind}: truthful and quirky are both {quirky!r}; give two names")
    if decoys == LOOKALIKES:
        decoys = tuple(name for name in LOOKALIKES if name not in (truthful, quirky))
    names = check_texts(kind, "decoys", decoys)
    check_disjoint(kind, {"truthful": [truthful], "quirky": [quirky], "decoys": names})
    return names
