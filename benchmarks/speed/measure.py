"""Timing: alternating repeats, and the limit that the machine sets."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch


@dataclass(frozen=True)
class Comparison:
    """Seconds of our code and of a baseline, medians over alternating repeats."""

    what: str
    baseline: str
    ours_s: float
    baseline_s: float
    losses: tuple[float, float] | None = None
    """The loss that ours and the baseline reach, if they minimise one."""
    limit_s: float | None = None
    """Seconds that its floating-point operations and memory traffic take here at best."""

    @property
    def speedup(self) -> float:
        """How many times faster ours is than the baseline."""
        return self.baseline_s / self.ours_s


def compare(
    what: str,
    baseline: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeats: int = 5,
    *,
    warm_up: bool = True,
    losses: tuple[float, float] | None = None,
    limit_s: float | None = None,
) -> Comparison:
    """Time both in turn, so that a busy machine slows both alike.

    Args:
        what: what is timed.
        baseline: what it is compared with.
        ours: runs our code once.
        theirs: runs the baseline once.
        repeats: timed runs of each.
        warm_up: whether each runs once untimed before; unnecessary for long runs.
        losses: the loss that ours and the baseline reach.
        limit_s: seconds that the operations take here at best.
    """
    if warm_up:
        ours()
        theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, seconds in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    ours_s, baseline_s = (statistics.median(seconds) for seconds in times)
    return Comparison(what, baseline, ours_s, baseline_s, losses, limit_s)


@cache
def peak_flops(dtype: torch.dtype) -> float:
    """Return the floating-point operations per second of a large matrix product, measured once."""
    a = torch.randn(1024, 1024, dtype=dtype)
    return 2 * 1024**3 / _fastest(lambda: a @ a)


@cache
def peak_bytes() -> float:
    """Return the bytes per second of a sum over more data than the caches hold, measured once."""
    x = torch.ones(2**26)
    return x.nbytes / _fastest(lambda: x.sum())


def limit(flops: float, bytes_read: float, dtype: torch.dtype = torch.float32) -> float:
    """Return the seconds that the operations, then reading the bytes from memory, take at best."""
    return flops / peak_flops(dtype) + bytes_read / peak_bytes()


def _fastest(work: Callable[[], object], repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
