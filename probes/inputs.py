"""What every probe is promised about its input, and the errors for whoever breaks it."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Reads = Literal["prompt", "pair", "tokens"]

MIN_EXAMPLES = 4
"""Fewer examples than this are refused at `fit`."""

SCORE_NEEDS = ("template", "mask")
"""The columns that `score` may be given; `fit` may be given all that a probe declares."""

NEEDS = (*SCORE_NEEDS, "polarity", "question")
"""The columns that a probe may declare."""

SHAPES: dict[Reads, str] = {
    "prompt": "(..., examples, features)",
    "pair": "(..., examples, 2, features)",
    "tokens": "(..., examples, tokens, features)",
}


def example_axis(reads: Reads) -> int:
    """The axis of the examples in states of this kind, counted from the end."""
    return -2 if reads == "prompt" else -3


def checked_states(x: Any, reads: Reads) -> Float[Tensor, "..."]:
    """`x` as finite float32 states; half precisions, float64 and arrays are converted.

    Raises ValueError for a shape that `reads` does not have, NaN or infinity.
    """
    x = torch.as_tensor(x).detach().to(torch.float32)
    if x.ndim < -example_axis(reads) or (reads == "pair" and x.shape[-2] != 2):
        raise ValueError(
            f"states have shape {tuple(x.shape)}; a probe that reads {reads!r} takes "
            f"{SHAPES[reads]}"
        )
    if x.shape[-1] == 0:
        raise ValueError(f"states have no features: shape {tuple(x.shape)}")
    # A sum is finite only where all of its terms are, and costs a fifth of looking at each.
    if not bool(torch.isfinite(x.sum())) and not bool((finite := torch.isfinite(x)).all()):
        nan = int(torch.isnan(x).sum())
        infinite = int((~finite).sum()) - nan
        first = tuple(int(i) for i in (~finite).nonzero()[0])
        raise ValueError(
            f"states hold {nan} NaN and {infinite} infinite values (as float32), "
            f"the first at index {first}"
        )
    return x


def checked_labels(y: Any, n: int, device: torch.device, *, both: bool) -> Bool[Tensor, "n"]:
    """`y` as n booleans on `device`.

    Raises ValueError for another length, for values other than 0 and 1, and, where `both`
    classes are asked for, for labels of one class.
    """
    y = torch.as_tensor(y).to(device)
    if y.shape != (n,):
        raise ValueError(f"labels have shape {tuple(y.shape)} for {n} examples; give ({n},)")
    if y.dtype != torch.bool:
        strange = y[(y != 0) & (y != 1)]
        if strange.numel():
            raise ValueError(f"labels must be True or False (1 or 0); found {strange[0].item()}")
        y = y.bool()
    true = int(y.sum())
    if both and true in (0, n):
        raise ValueError(f"labels are of one class: {true} true, {n - true} false")
    return y


def checked_needs(
    needs: Mapping[str, Any], declared: Collection[str], n: int, device: torch.device, probe: str
) -> dict[str, Tensor]:
    """The further columns, each an integer or boolean tensor with n rows on `device`.

    Raises ValueError for a column that the probe did not declare, another length, or codes
    that are not integers.
    """
    checked = {}
    for column, given in needs.items():
        if column not in declared:
            takes = ", ".join(declared) or "no further column"
            raise ValueError(f"probe {probe!r} was given {column!r} here; it takes {takes}")
        codes = torch.as_tensor(given).to(device)
        if codes.ndim == 0 or codes.shape[0] != n:
            raise ValueError(f"{column!r} has shape {tuple(codes.shape)} for {n} examples")
        if codes.is_floating_point() or codes.is_complex():
            raise ValueError(f"{column!r} must be integer codes or booleans, not {codes.dtype}")
        checked[column] = codes
    return checked
