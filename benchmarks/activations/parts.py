"""Tensors of many examples in part files, in memory that does not grow with the examples."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

PART_BYTES = 32 * 2**20
"""A part file is written as soon as it holds this much."""


class _Batch(Protocol):
    @property
    def index(self) -> Tensor: ...


Batch = TypeVar("Batch", bound=_Batch)


def write_parts(
    batches: Iterable[Batch],
    folder: Path,
    joined: Callable[[list[Batch]], dict[str, Tensor]],
    told: Callable[[int], None],
) -> list[str]:
    """Write safetensors files of what `joined` makes of the batches that fill one; return names.

    `told` hears after every batch how many examples there were.
    """
    held: list[Batch] = []
    names: list[str] = []
    done = 0
    for batch in batches:
        held.append(batch)
        done += len(batch.index)
        if sum(map(_bytes, held)) >= PART_BYTES:
            names.append(_write(joined(held), folder, len(names)))
            held = []
        told(done)
    if held:
        names.append(_write(joined(held), folder, len(names)))
    return names


def read_parts(folder: Path, names: Sequence[str], key: str, axis: int = 0) -> Tensor:
    """Return one tensor of all parts, in the order in which they were written."""
    tensors = []
    for name in names:
        with safe_open(folder / name, framework="pt") as part:
            tensors.append(part.get_tensor(key))
    return torch.cat(tensors, dim=axis)


def _bytes(batch: _Batch) -> int:
    return sum(held.nbytes for held in vars(batch).values() if isinstance(held, Tensor))


def _write(tensors: dict[str, Tensor], folder: Path, number: int) -> str:
    name = f"part-{number:05d}.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / name)
    return name
