"""Batches of sequences of one exact length, so that no model sees padding."""

from collections import defaultdict
from collections.abc import Iterator, Sequence


def batches(tokens: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Yield the positions of sequences of one exact length, batch by batch, the shortest first."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, ids in enumerate(tokens):
        by_length[len(ids)].append(i)
    for length in sorted(by_length):
        group = by_length[length]
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]
