"""Block outputs, recorded by forward hooks."""

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
    """Record the outputs of blocks during each forward pass inside the context.

    The hooks are removed when the context ends, also after an error.

    Args:
        model: a causal language model.
        positions: token positions to record; None for all.
        layers: blocks to record (l = 1..L), in this order; None for all.

    Yields:
        A list with one tensor (batch, positions, d) per layer, on the device of its block. Every
        forward pass replaces the tensors.

    Raises:
        ValueError: if a layer does not exist or `layers` is empty.
    """
    blocks = block_list(model)
    layers = range(1, len(blocks) + 1) if layers is None else layers
    check_layers(layers, len(blocks))
    outputs: list[Tensor] = [torch.empty(0)] * len(layers)

    def record(entry: int, output: Any) -> None:
        hidden = output[0] if isinstance(output, tuple) else output
        outputs[entry] = hidden if positions is None else hidden[:, list(positions)]

    handles = [
        blocks[layer - 1].register_forward_hook(
            lambda _module, _args, output, entry=entry: record(entry, output)
        )
        for entry, layer in enumerate(layers)
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def check_layers(layers: Sequence[int], n_blocks: int) -> None:
    """Check that a model of `n_blocks` blocks has these layers.

    Raises:
        ValueError: if a layer is not in 1..`n_blocks`, or if there are no layers.
    """
    for layer in layers:
        if not 1 <= layer <= n_blocks:
            raise ValueError(f"layer {layer}: this model has the layers 1 to {n_blocks}")
    if not layers:
        raise ValueError(f"no layers to read; this model has the layers 1 to {n_blocks}")
