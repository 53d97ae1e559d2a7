"""Validation of what a probe is given: states, labels and further columns."""

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Reads = Literal["prompt", "pair", "tokens"]

MIN_EXAMPLES = 4
"""The fewest examples that `fit` accepts."""

SCORE_NEEDS = ("template", "mask")
"""The columns that `score` may receive; `fit` receives every column that a probe declares."""

NEEDS = (*SCORE_NEEDS, "polarity", "question")
"""The columns that a probe may declare."""

SHAPES: dict[Reads, str] = {
    "prompt": "(..., examples, features)",
    "pair": "(..., examples, 2, features)",
    "tokens": "(..., examples, tokens, features)",
}


def example_axis(reads: Reads) -> int:
    """Return the axis of the examples in states of this kind, counted from the end."""
    return -2 if reads == "prompt" else -3


def require_choice(field: str, value: Any, choices: Any) -> None:
    """Check that a hyper-parameter is one of the strings of the literal type `choices`.

    Raises:
        ValueError: naming the field, the value and the choices.
    """
    names = get_args(choices)
    if value not in names:
        raise ValueError(f"{field} must be one of {', '.join(names)}, not {value!r}")


def validate_states(x: Any, reads: Reads) -> Float[Tensor, "..."]:
    """Return `x` as finite float32 states; half precisions, float64 and arrays are converted.

    Raises:
        ValueError: if the shape does not fit `reads`, or if there are NaN or infinite values.
    """
    x = torch.as_tensor(x).detach().to(torch.float32)
    if x.ndim < -example_axis(reads) or (reads == "pair" and x.shape[-2] != 2):
        raise ValueError(
            f"states have shape {tuple(x.shape)}; a probe that reads {reads!r} takes "
            f"{SHAPES[reads]}"
        )
    if x.shape[-1] == 0:
        raise ValueError(f"states have no features: shape {tuple(x.shape)}")
    # The sum is finite only if every term is, and costs a fifth of an elementwise test.
    if not bool(torch.isfinite(x.sum())) and not bool((finite := torch.isfinite(x)).all()):
        nan = int(torch.isnan(x).sum())
        infinite = int((~finite).sum()) - nan
        first = tuple(int(i) for i in (~finite).nonzero()[0])
        raise ValueError(
            f"states hold {nan} NaN and {infinite} infinite values (as float32), "
            f"the first at index {first}"
        )
    return x


def validate_labels(
    y: Any, n: int, device: torch.device, *, both_classes: bool
) -> Bool[Tensor, "n"]:
    """Return `y` as n booleans on `device`.

    Raises:
        ValueError: if there are not n labels, if a value is neither 0 nor 1, or if
            `both_classes` are required and all labels are equal.
    """
    y = torch.as_tensor(y).to(device)
    if y.shape != (n,):
        raise ValueError(f"labels have shape {tuple(y.shape)} for {n} examples; give ({n},)")
    if y.dtype != torch.bool:
        invalid = y[(y != 0) & (y != 1)]
        if invalid.numel():
            raise ValueError(f"labels must be True or False (1 or 0); found {invalid[0].item()}")
        y = y.bool()
    n_true = int(y.sum())
    if both_classes and n_true in (0, n):
        raise ValueError(f"labels are of one class: {n_true} true, {n - n_true} false")
    return y


def validate_columns(
    columns: Mapping[str, Any], allowed: Collection[str], n: int, device: torch.device, probe: str
) -> dict[str, Tensor]:
    """Return the columns as integer or boolean tensors with n rows on `device`.

    Raises:
        ValueError: if a column is not `allowed`, does not have n rows, or is not of integers or
            booleans; the error names the `probe`.
    """
    tensors = {}
    for name, values in columns.items():
        if name not in allowed:
            takes = ", ".join(allowed) or "no further column"
            raise ValueError(f"probe {probe!r} was given {name!r} here; it takes {takes}")
        codes = torch.as_tensor(values).to(device)
        if codes.ndim == 0 or codes.shape[0] != n:
            raise ValueError(f"{name!r} has shape {tuple(codes.shape)} for {n} examples")
        if codes.is_floating_point() or codes.is_complex():
            raise ValueError(f"{name!r} must be integer codes or booleans, not {codes.dtype}")
        tensors[name] = codes
    return tensors
