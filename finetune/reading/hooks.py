"""The output of a model's blocks, by forward hooks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from finetune.architectures.blocks import block_list


@contextmanager
def block_outputs(
    model: nn.Module, positions: Sequence[int] | None, layers: Sequence[int] | None = None
) -> Iterator[list[Tensor]]:
    """Keep the output of blocks at some token positions (None: all) while the context lasts.

    Yields a list that each forward pass fills anew: an entry for each of `layers` (l = 1..L; None:
    all, in their order), the output of block l, (batch, positions, d), on the model's device. The
    hooks are removed in any case.
    """
    blocks = block_list(model)
    chosen = range(1, len(blocks) + 1) if layers is None else layers
    check_layers(chosen, len(blocks))
    outputs: list[Tensor] = [torch.empty(0)] * len(chosen)

    def keep(entry: int, output: Any) -> None:
        hidden = output[0] if isinstance(output, tuple) else output
        outputs[entry] = hidden if positions is None else hidden[:, list(positions)]

    handles = [
        blocks[layer - 1].register_forward_hook(
            lambda _module, _args, output, entry=entry: keep(entry, output)
        )
        for entry, layer in enumerate(chosen)
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def check_layers(layers: Sequence[int], blocks: int) -> None:
    """Raise ValueError if a layer (l = 1..`blocks`) does not exist, or if there is none."""
    for layer in layers:
        if not 1 <= layer <= blocks:
            raise ValueError(f"layer {layer}: this model has the layers 1 to {blocks}")
    if not layers:
        raise ValueError(f"no layers to read; this model has 1 to {blocks}")
