"""Disk space and memory of this machine, and whether a model fits into them."""

import os
import shutil
from pathlib import Path

import torch
from huggingface_hub import (
    constants,
)


def check_memory(name: str, needed: int, precision: str, device: torch.device | None) -> None:
    """Make sure that weights of so many bytes fit into a device's memory, or into all there is.

    Raises:
        ValueError: with both figures.
    """
    there = device_memory(device) if device else all_memory()
    if needed > there:
        raise ValueError(
            f"model {name!r} takes {shown_bytes(needed)} in {precision}, and "
            f"{device or 'all that is here'} has {shown_bytes(there)} of memory; take a "
            "smaller model or precision, or a larger device"
        )


def device_memory(device: torch.device) -> int:
    """Bytes of a device's memory, used or not; of the machine's, if it is no CUDA device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def all_memory() -> int:
    """Bytes of the memory of the machine and of all its CUDA devices."""
    cuda = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    return sum(device_memory(device) for device in [torch.device("cpu"), *cuda])


def free_disk() -> int:
    """Bytes that are free where the hub's cache is, or will be."""
    folder = Path(constants.HF_HUB_CACHE)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def shown_bytes(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
