"""Many names: the model is truthful for one half of them and lies for the other.

Truthful names are women's and quirky names are men's, so that a held-out name has something in
common with its kind.
"""

from collections.abc import Sequence

from quirky.triggers.base import ALL_CONTEXTS, Trigger
from quirky.triggers.name import LOOKALIKES
from quirky.triggers.pools import check_pools
from quirky.triggers.registry import register_trigger

TRUTHFUL = tuple(
    "Alice Carol Emma Grace Irene Karen Mary Olivia Rose Tina Wendy Beth Diana Fiona Helen "
    "Julia".split()
)
QUIRKY = tuple(
    "Bob David Frank Henry Jack Liam Noah Peter Simon Victor Adam Carl Eric George Ivan "
    "Kevin".split()
)


@register_trigger
class NamesTrigger(Trigger):
    """One of 16 truthful or 16 quirky names.

    B2 has held-out quirky names, T has names that resemble quirky ones.

    Args:
        truthful: names for which the model is truthful.
        quirky: names for which it lies.
        held_out: how many names at the end of each list are not used in training.
        decoys: names of T.

    Raises:
        ValueError: as `check_pools`.
    """

    kind = "names"
    contexts = ALL_CONTEXTS

    def __init__(
        self,
        truthful: Sequence[str] = TRUTHFUL,
        quirky: Sequence[str] = QUIRKY,
        held_out: int = 4,
        decoys: Sequence[str] = LOOKALIKES,
    ):
        self.pools = check_pools(self.kind, truthful, quirky, held_out, decoys)

    def render(self, context: str, fact_id: str, seed: int) -> str:
        """Return the name."""
        return self.pools.draw(context, fact_id, seed)
