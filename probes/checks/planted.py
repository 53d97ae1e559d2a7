"""Synthetic hidden states with truth planted along one direction."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import SCORE_NEEDS, Reads


@dataclass(frozen=True)
class PlantedData:
    """States, labels and every further column that a probe may declare."""

    x: Float[Tensor, "..."]
    y: Bool[Tensor, "n"]
    columns: dict[str, Tensor]

    def fit_columns(self, needs: tuple[str, ...]) -> dict[str, Tensor]:
        """Return the columns that `fit` of a probe with these needs receives."""
        return {column: self.columns[column] for column in needs}

    def score_columns(self, needs: tuple[str, ...]) -> dict[str, Tensor]:
        """Return the columns that `score` of a probe with these needs receives."""
        return {column: self.columns[column] for column in needs if column in SCORE_NEEDS}


def plant_truth(
    reads: Reads, *, n: int, d: int, layers: tuple[int, ...] = (), seed: int, gap: float = 4.0
) -> PlantedData:
    """Return unit noise plus truth, which moves a state by `gap` either way along one direction.

    The direction is the same for every seed, so that a probe fitted on one draw can score another.
    Pairs also contain a component for the answer that they end on and one that both states share.
    Of five tokens the last one or two are masked.
    """
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(d, generator=torch.Generator().manual_seed(12345))
    direction = gap * direction / direction.norm()
    y = torch.arange(n) % 2 == 0
    y = y[torch.randperm(n, generator=generator)]
    sign = y.float() * 2 - 1
    mask = torch.ones(n, 5, dtype=torch.bool)
    mask[:, 4] = False
    mask[::2, 3] = False

    shape = {"prompt": (n,), "pair": (n, 2), "tokens": (n, 5)}[reads]
    x = torch.randn(*layers, *shape, d, generator=generator)
    if reads == "prompt":
        x += sign[:, None] * direction
    elif reads == "pair":
        answer = torch.tensor([-1.0, 1.0])
        x += (sign[:, None] * answer)[..., None] * direction
        x += 3 * answer[:, None] * direction.roll(1)
        x += torch.randn(*layers, n, 1, d, generator=generator)
    else:
        x += sign[:, None, None] * direction * mask[..., None]
    columns = {
        "template": torch.arange(n) % 3,
        "mask": mask,
        "polarity": torch.arange(n) // 2 % 2,
        "question": torch.arange(n),
    }
    return PlantedData(x, y, columns)
