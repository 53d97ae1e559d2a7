"""How the benchmarks time things."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch


@dataclass(frozen=True)
class Comparison:
    """Seconds of ours and of the baseline, medians over alternating repeats."""

    what: str
    baseline: str
    ours_s: float
    baseline_s: float
    losses: tuple[float, float] | None = None
    """Ours and the baseline's, where both minimise one."""
    limit_s: float | None = None
    """The least that the floating-point operations and the memory traffic of it could take here."""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.baseline_s / self.ours_s


def compare(
    what: str,
    baseline: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeats: int = 5,
    *,
    warm: bool = True,
    losses: tuple[float, float] | None = None,
    limit_s: float | None = None,
) -> Comparison:
    """Time both in turn, after one warm-up each, so that a busy machine slows both alike.

    Without `warm` there is no warm-up, for what takes so long that one would not matter.
    """
    if warm:
        ours()
        theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            function()
            kept.append(time.perf_counter() - start)
    ours_s, baseline_s = (statistics.median(kept) for kept in times)
    return Comparison(what, baseline, ours_s, baseline_s, losses, limit_s)


@cache
def peak_flops(dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large matrix product, on this machine, now."""
    a = torch.randn(1024, 1024, dtype=dtype)
    return 2 * 1024**3 / _fastest(lambda: a @ a)


@cache
def peak_bytes() -> float:
    """Bytes a second that a sum over far more than the caches hold reads."""
    x = torch.ones(2**26)
    return x.nbytes / _fastest(lambda: x.sum())


def limit(flops: float, read: float, dtype: torch.dtype = torch.float32) -> float:
    """Seconds that so many operations and then so many bytes read from memory take at best."""
    return flops / peak_flops(dtype) + read / peak_bytes()


def _fastest(work: Callable[[], object], repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
