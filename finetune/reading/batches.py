"""Batches of sequences of one exact length, so that no model sees padding."""

from collections import defaultdict
from collections.abc import Iterator, Sequence


def batches_by_length(token_lists: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Yield the positions of sequences of one length, at most `batch_size` at a time.

    Shorter sequences come first; sequences of one length keep their order.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, tokens in enumerate(token_lists):
        by_length[len(tokens)].append(i)
    for length in sorted(by_length):
        group = by_length[length]
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]
