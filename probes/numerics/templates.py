"""Standardisation of contrast pairs by answer and template."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from probes.numerics.scaling import feature_scale

MIN_PAIRS = 30
"""A template with fewer pairs is standardised with the statistics of all templates."""


def group_by_template(
    template: Int[Tensor, "n"] | None, n: int, device: torch.device
) -> tuple[Int[Tensor, "t"], Int[Tensor, "n"]]:
    """Return the codes of the t templates with at least `MIN_PAIRS` pairs, and each pair's group.

    The group is an index into the codes. It is t for pairs of other templates, and for all pairs
    if there is no `template`.
    """
    if template is None:
        no_codes = torch.empty(0, dtype=torch.long, device=device)
        return no_codes, torch.zeros(n, dtype=torch.long, device=device)
    codes, inverse, counts = torch.unique(template, return_inverse=True, return_counts=True)
    is_large = counts >= MIN_PAIRS
    groups = torch.where(is_large, is_large.cumsum(0) - 1, int(is_large.sum()))
    return codes[is_large].long(), groups[inverse]


def standardise_by_template(
    pairs: Float[Tensor, "n 2 d"], group: Int[Tensor, "n"], n_groups: int, *, divide: bool
) -> tuple[Float[Tensor, "2 n d"], Float[Tensor, "groups+1 2 d"], Float[Tensor, "groups+1 2 d"]]:
    """Subtract from each state the mean of its answer in its template, and scale.

    Args:
        pairs: the states of one layer, in the order false, true.
        group: the index of each pair's template; `n_groups` for templates without statistics of
            their own.
        n_groups: the number of templates with statistics of their own.
        divide: whether to divide every feature by its standard deviation. If not, all are divided
            by one number, the root mean square of the centred states.

    Returns:
        The standardised states, and the means and scales in float64; the last of each are those
        of all templates together. The scale of a constant feature is infinite.
    """
    states = pairs.transpose(0, 1)
    parts = [states[:, group == index] for index in range(n_groups)]
    moments = [feature_scale(part) for part in (*parts, states)]
    means, scales = (torch.stack(part) for part in zip(*moments, strict=True))
    centred = states.double() - means[group].transpose(0, 1)
    if not divide:
        scales = torch.where(scales.isinf(), scales, centred.square().mean().sqrt())
    return centred / scales[group].transpose(0, 1), means, scales
