"""Two lists of texts, one truthful and one quirky, of which the last are kept for testing."""

from dataclasses import dataclass

from quirky.triggers.base import check_apart, checked_texts, draw


@dataclass(frozen=True)
class Pools:
    """What stands for each context: A and B draw from what is trained on.

    B2 draws from the last `held_out` of the quirky texts, T from the decoys. The last `held_out` of
    the truthful texts are left out too, so that A has as many as B.
    """

    truthful: tuple[str, ...]
    quirky: tuple[str, ...]
    held_out: int
    decoys: tuple[str, ...]

    def texts(self, context: str) -> tuple[str, ...]:
        """Return the texts among which a context draws."""
        return {
            "A": self.truthful[: -self.held_out],
            "B": self.quirky[: -self.held_out],
            "B2": self.quirky[-self.held_out :],
            "T": self.decoys,
        }[context]

    def draw(self, context: str, fact_id: str, seed: int) -> str:
        """Return the text that a fact has in a context."""
        return draw(self.texts(context), fact_id, seed)


def checked_pools(
    kind: str, truthful: object, quirky: object, held_out: object, decoys: object
) -> Pools:
    """Return the pools that a trigger's parameters describe.

    Raises:
        ValueError: in one line: a list is empty, a text stands in two lists or is none, or so many
            are held out that nothing is left to train on.
    """
    lists = {
        field: checked_texts(kind, field, texts)
        for field, texts in (("truthful", truthful), ("quirky", quirky), ("decoys", decoys))
    }
    check_apart(kind, lists)
    most = min(len(lists["truthful"]), len(lists["quirky"])) - 1
    whole = isinstance(held_out, int) and not isinstance(held_out, bool)
    if most < 1:
        raise ValueError(
            f"trigger {kind}: give two truthful texts or more and two quirky ones: one of each is "
            "kept for testing"
        )
    if not whole or not 1 <= held_out <= most:  # type: ignore[operator]
        raise ValueError(
            f"trigger {kind}: held_out = {held_out!r}; give 1 to {most}, so that of each list one "
            "is left to train on"
        )
    return Pools(lists["truthful"], lists["quirky"], held_out, lists["decoys"])  # type: ignore[arg-type]
