"""Tensors of many examples in part files, with memory bounded by one part."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

PART_BYTES = 32 * 2**20
"""A part file is written once this many bytes are in memory."""


class _Batch(Protocol):
    @property
    def index(self) -> Tensor: ...


Batch = TypeVar("Batch", bound=_Batch)


def write_parts(
    batches: Iterable[Batch],
    folder: Path,
    merge: Callable[[list[Batch]], dict[str, Tensor]],
    on_progress: Callable[[int], None],
) -> list[str]:
    """Write batches as safetensors files and return the names of the files.

    Args:
        batches: what is written, each with the positions of its examples.
        folder: receives the files.
        merge: makes the tensors of one file from the batches that it holds.
        on_progress: called after every batch with the number of examples read so far.
    """
    pending: list[Batch] = []
    names: list[str] = []
    examples = 0
    for batch in batches:
        pending.append(batch)
        examples += len(batch.index)
        if sum(map(_bytes, pending)) >= PART_BYTES:
            names.append(_write(merge(pending), folder, len(names)))
            pending = []
        on_progress(examples)
    if pending:
        names.append(_write(merge(pending), folder, len(names)))
    return names


def read_parts(folder: Path, names: Sequence[str], key: str, axis: int = 0) -> Tensor:
    """Return one tensor of all parts, concatenated in the order in which they were written."""
    tensors = []
    for name in names:
        with safe_open(folder / name, framework="pt") as part:
            tensors.append(part.get_tensor(key))
    return torch.cat(tensors, dim=axis)


def _bytes(batch: _Batch) -> int:
    return sum(value.nbytes for value in vars(batch).values() if isinstance(value, Tensor))


def _write(tensors: dict[str, Tensor], folder: Path, number: int) -> str:
    name = f"part-{number:05d}.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / name)
    return name
