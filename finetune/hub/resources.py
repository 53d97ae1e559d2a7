"""Disk space and memory of this machine, and whether a model fits into them."""

import os
import shutil
from pathlib import Path

import torch
from huggingface_hub import constants


def check_memory(name: str, size: int, precision: str, device: torch.device | None) -> None:
    """Check that the weights of a model fit into memory.

    Args:
        name: what an error calls the model.
        size: bytes of the weights.
        precision: what an error says they are stored in, such as "bfloat16" or "4 bits".
        device: where they go; None for all memory of this machine.

    Raises:
        ValueError: with both sizes.
    """
    memory = device_memory(device) if device else total_memory()
    if size > memory:
        raise ValueError(
            f"model {name!r} takes {format_bytes(size)} in {precision}, and "
            f"{device or 'this machine with all its devices'} has {format_bytes(memory)} of "
            "memory; take a smaller model or precision, or a larger device"
        )


def device_memory(device: torch.device) -> int:
    """Return the bytes of memory of a CUDA device, or of the machine for any other device.

    Memory that is in use counts.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def total_memory() -> int:
    """Return the bytes of memory of the machine and of all its CUDA devices."""
    cuda = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    return sum(device_memory(device) for device in [torch.device("cpu"), *cuda])


def free_disk() -> int:
    """Return the bytes that are free on the disk of the hub's cache."""
    folder = Path(constants.HF_HUB_CACHE)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def format_bytes(count: float) -> str:
    """Return a number of bytes with a unit, to three digits, such as "4.76 MB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
