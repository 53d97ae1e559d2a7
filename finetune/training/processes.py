"""The processes that train one adapter together, and the device of this one.

`torchrun` and `accelerate launch` start one process per device and set the environment variables
`WORLD_SIZE`, `RANK` and `LOCAL_RANK`. Importing this module does not import torch.
"""

import os


def count() -> int:
    """Return the number of processes; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the rank of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this is rank 0, the process that prints and writes files."""
    return rank() == 0


def own_device(name: str) -> str:
    """Return the device of this process: of several on CUDA, each takes its own.

    Raises:
        ValueError: if several processes would share one device that is not the CPU.
    """
    if count() == 1 or name == "cpu":
        return name
    if name != "cuda":
        raise ValueError(
            f"device {name!r}: {count()} processes cannot share it; write cuda, and each takes its "
            "own"
        )
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
