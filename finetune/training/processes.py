"""One process or several: which of them this is, and where it trains.

`torchrun` and `accelerate launch` start one process a device, and tell each who it is by the
variables `WORLD_SIZE`, `RANK` and `LOCAL_RANK`.
"""

import os


def count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this is the one that speaks and writes."""
    return rank() == 0


def own_device(name: str) -> str:
    """Return the device of this process: of several on CUDA, each takes its own.

    Raises:
        ValueError: if several processes are given one and the same device.
    """
    if count() == 1 or name == "cpu":
        return name
    if name != "cuda":
        raise ValueError(
            f"device {name!r}: {count()} processes cannot share it; write cuda, and each takes its "
            "own"
        )
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
