"""Models must fit into memory."""

import pytest
import torch

from finetune.hub import resources
from finetune.hub.resources import check_memory, format_bytes

NAME = "org/name"
GB = 10**9


def test_a_model_larger_than_memory_is_refused_with_both_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "device_memory", lambda _device: 24 * GB)
    check_memory(NAME, 24 * GB, "bfloat16", torch.device("cpu"))
    with pytest.raises(ValueError, match="takes 25 GB in bfloat16, and cpu has 24 GB of memory"):
        check_memory(NAME, 25 * GB, "bfloat16", torch.device("cpu"))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 kB"), (1234, "1.23 kB"), (4.76e6, "4.76 MB"), (24 * GB, "24 GB"), (1e15, "1e+03 TB")],
)
def test_bytes_are_shown_with_a_unit_and_three_digits(count: float, text: str) -> None:
    assert format_bytes(count) == text
