"""Contrast pairs from which it is erased which answer, in which template, a state belongs to."""

import torch
from concept_erasure import LeaceFitter
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from probes.numerics.scaling import feature_scale


def answer_and_template(
    template: Int[Tensor, "n"] | None, x: Float[Tensor, "*layers n 2 d"], probe: str
) -> Float[Tensor, "2n groups"]:
    """One-hot codes of (answer, template) for the states of n pairs in the order of the pairs.

    Without `template` all pairs are of one. Raises ValueError when there are so many groups that
    erasing them leaves nothing of the features.
    """
    n, d = x.shape[-3], x.shape[-1]
    if template is None:
        template = torch.zeros(n, dtype=torch.long, device=x.device)
    codes = torch.unique(template, return_inverse=True)[1]
    groups = one_hot(torch.stack([2 * codes, 2 * codes + 1], dim=-1).flatten()).double()
    if groups.shape[1] > d:
        raise ValueError(
            f"probe {probe!r} erases {groups.shape[1]} groups (2 answers x templates), which "
            f"leaves nothing of {d} features"
        )
    return groups


def erased_pairs(
    pairs: Float[Tensor, "n 2 d"], groups: Float[Tensor, "2n groups"]
) -> tuple[Float[Tensor, "2 n d"], Float[Tensor, "d d"]]:
    """Scaled and erased states of one layer, and the linear part of the map to them, in float64.

    The states are scaled by their spread within each group, and LEACE (arXiv 2306.03819) erases
    the group. The eraser is one affine map for all groups: a direction w on what it returns is
    the direction map' w on raw states.
    """
    raw = pairs.double().flatten(0, 1)
    means = (groups.mT @ raw) / groups.sum(0)[:, None]
    centre = raw.mean(0)
    _, scale = feature_scale((raw - groups @ means + centre)[None])
    scaled = (raw - centre) / scale
    # The states are not put back into a model, so their trace may grow.
    eraser = LeaceFitter.fit(scaled, groups, constrain_cov_trace=False).eraser
    return eraser(scaled).unflatten(0, (-1, 2)).transpose(0, 1), eraser.P / scale
