"""Concept erasure on contrast pairs: removes which answer, in which template, a state is of."""

import torch
from concept_erasure import LeaceFitter
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from probes.numerics.scaling import feature_scale


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
    pairs: Float[Tensor, "n 2 d"], groups: Float[Tensor, "2n groups"]
) -> tuple[Float[Tensor, "2 n d"], Float[Tensor, "d d"]]:
    """Scale one layer's states by their spread within each group, and erase the group by LEACE.

    LEACE (arXiv 2306.03819) is one affine map for all groups.

    Returns:
        The erased states, and the linear part M of the map from raw to erased states, in float64.
        A direction w on erased states is the direction M' w on raw states.
    """
    raw = pairs.double().flatten(0, 1)
    means = (groups.mT @ raw) / groups.sum(0)[:, None]
    centre = raw.mean(0)
    _, scale = feature_scale((raw - groups @ means + centre)[None])
    scaled = (raw - centre) / scale
    # The erased states are never put back into a model, so their trace may grow.
    eraser = LeaceFitter.fit(scaled, groups, constrain_cov_trace=False).eraser
    return eraser(scaled).unflatten(0, (-1, 2)).transpose(0, 1), eraser.P / scale
