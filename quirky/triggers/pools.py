"""Pools of truthful and quirky texts, some of which are held out from training."""

from dataclasses import dataclass

from quirky.triggers.texts import check_disjoint, check_texts, draw


@dataclass(frozen=True)
class Pools:
    """The texts of each context.

    A and B draw from the texts used in training. B2 draws from the last `held_out` quirky texts, T
    from the decoys. The last `held_out` truthful texts are not used, so that A has as many as B.
    """

    truthful: tuple[str, ...]
    quirky: tuple[str, ...]
    held_out: int
    decoys: tuple[str, ...]

    def texts(self, context: str) -> tuple[str, ...]:
        """Return the texts of a context."""
        return {
            "A": self.truthful[: -self.held_out],
            "B": self.quirky[: -self.held_out],
            "B2": self.quirky[-self.held_out :],
            "T": self.decoys,
        }[context]

    def draw(self, context: str, fact_id: str, seed: int) -> str:
        """Return the text of a fact in a context."""
        return draw(self.texts(context), fact_id, seed)


def check_pools(
    kind: str, truthful: object, quirky: object, held_out: object, decoys: object
) -> Pools:
    """Return the pools that a trigger's parameters describe.

    Raises:
        ValueError: one line, if a list is empty, a text is invalid or in two lists, or so many
            texts are held out that none is left for training.
    """
    lists = {
        field: check_texts(kind, field, texts)
        for field, texts in (("truthful", truthful), ("quirky", quirky), ("decoys", decoys))
    }
    check_disjoint(kind, lists)
    most = min(len(lists["truthful"]), len(lists["quirky"])) - 1
    if most < 1:
        raise ValueError(
            f"trigger {kind}: give two truthful texts or more and two quirky ones: one of each is "
            "held out"
        )
    is_whole = isinstance(held_out, int) and not isinstance(held_out, bool)
    if not is_whole or not 1 <= held_out <= most:  # type: ignore[operator]
        raise ValueError(
            f"trigger {kind}: held_out = {held_out!r}; give 1 to {most}, so that each list keeps "
            "one for training"
        )
    return Pools(lists["truthful"], lists["quirky"], held_out, lists["decoys"])  # type: ignore[arg-type]
