"""Concept erasure on contrast pairs: removes which answer, in which template, a state is of."""

from typing import Literal, NamedTuple

import torch
from concept_erasure import LeaceFitter
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from probes.numerics.scaling import common_scale, feature_scale

Erasure = Literal["leace", "leace-template-raw", "leace-template"]
"""What is erased from the states of pairs, and how they are scaled before:

- "leace": the answer; not scaled.
- "leace-template-raw": the answer in each template; not scaled.
- "leace-template": the answer in each template; scaled by the spread within each of them.
"""


class ErasedPairs(NamedTuple):
    """The states of one layer's pairs after erasure, in float64, and the map to them."""

    states: Float[Tensor, "2 n d"]
    """The erased states, centred and scaled."""
    linear: Float[Tensor, "d d"]
    """The linear part M of the map from raw to erased states: a direction w on erased states is
    the direction M' w on raw states."""
    centre: Float[Tensor, "d"]
    """The mean of the raw states, divided by `scale`."""
    scale: Float[Tensor, "d"]
    """What the raw states were divided by."""


def erased_groups(
    erasure: Erasure,
    template: Int[Tensor, "n"] | None,
    x: Float[Tensor, "*layers n 2 d"],
    probe: str,
) -> Float[Tensor, "2n groups"]:
    """Return the one-hot codes of what is erased; see `answer_template_codes`."""
    return answer_template_codes(None if erasure == "leace" else template, x, probe)


def answer_template_codes(
    template: Int[Tensor, "n"] | None, x: Float[Tensor, "*layers n 2 d"], probe: str
) -> Float[Tensor, "2n groups"]:
    """Return one-hot codes of (answer, template) for the states of n pairs, pair by pair.

    Without `template` all pairs have the same template.

    Raises:
        ValueError: if there are more groups than features, so that erasing them would leave
            nothing; the error names the `probe`.
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


def erase_groups(
    pairs: Float[Tensor, "n 2 d"], groups: Float[Tensor, "2n groups"], erasure: Erasure
) -> ErasedPairs:
    """Scale one layer's states, and erase the groups of `erased_groups` by LEACE.

    LEACE (arXiv 2306.03819) is one affine map for all groups. "leace-template" divides every
    feature by its spread within the groups. The others divide all features by one number, the root
    mean square of these spreads: the erased states are those of the raw ones in another unit.
    """
    raw = pairs.double().flatten(0, 1)
    means = (groups.mT @ raw) / groups.sum(0)[:, None]
    centre = raw.mean(0)
    scale = feature_scale((raw - groups @ means + centre)[None])[1][0]
    if erasure != "leace-template":
        scale = torch.full_like(scale, common_scale(scale)[1])
    scaled = (raw - centre) / scale
    # The erased states are never put back into a model, so their trace may grow.
    eraser = LeaceFitter.fit(scaled, groups, constrain_cov_trace=False).eraser
    states = eraser(scaled).unflatten(0, (-1, 2)).transpose(0, 1)
    return ErasedPairs(states, eraser.P / scale, centre / scale, scale)
