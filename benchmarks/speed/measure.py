"""How the benchmarks time things."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Seconds of ours and of the baseline, medians over alternating repeats."""

    what: str
    baseline: str
    ours_s: float
    baseline_s: float

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
) -> Comparison:
    """Time both in turn, after one warm-up each, so that a busy machine slows both alike."""
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            function()
            kept.append(time.perf_counter() - start)
    return Comparison(what, baseline, statistics.median(times[0]), statistics.median(times[1]))
