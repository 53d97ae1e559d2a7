"""What a cell needs of a machine, from the model's config and the data alone.

Disk is exact but for headers for the states of `resid`, token states and the adapter, and an upper
bound for recurrent states and fits. Memory and operations are estimates, whose terms are below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.activations import bytes_per_state, token_layers
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.fits import list_fits
from finetune.adapters.lora import add_lora
from finetune.architectures.blocks import block_list, unwrap
from finetune.training.settings import FinetuneSettings

LORA_BYTES = 4
"""Adapters are float32 for a base of any precision."""
TRAINED_BYTES = 5 * LORA_BYTES
"""Per number of an adapter: the number, its gradient, AdamW's two moments, the best copy."""
SCAN_COPIES = 4
"""Copies of (channels, state) in float32 that PyTorch's selective scan keeps for each token."""
LOG_ODDS_BYTES = 12
"""Stored beside the states of an example: its index and the model's own log-odds."""
OPERATIONS = 40
"""Device calls of a block with an adapter in a forward pass; a backward pass makes twice that."""
SCAN_OPERATIONS = 6
"""Further calls per token in a block whose scan runs token by token, without fused kernels."""
READ_BATCH = 64
VALIDATION_BATCH = 256
VALIDATED = 4 * 1024
"""Examples of the validation loss: 1,024, measured four times."""
CUDA_CONTEXT = 500_000_000
"""Bytes that CUDA and its libraries allocate before the first tensor."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a model, from its config alone.

    Attributes:
        parameters: number of parameters, tied ones once.
        blocks: number of blocks.
        width: of the residual stream.
        block_parameters: parameters in the blocks, which every token passes.
        vocabulary: rows of the output head.
        block_values: numbers that a block keeps per token in training: inputs and outputs of its
            linear layers (17 widths in a transformer, the 34 bytes at 2 bytes a number of arXiv
            2205.05198, section 4).
        scan_values: channels times state of a state-space mixer, else 0.
    """

    parameters: int
    blocks: int
    width: int
    vocabulary: int
    block_parameters: int
    block_values: int
    scan_values: int

    @classmethod
    def of(cls, model: nn.Module) -> "ModelShape":
        """Measure a model, which may be on the meta device."""
        blocks = block_list(model)
        config = unwrap(model).config.get_text_config()  # type: ignore[union-attr, operator]
        return cls(
            parameters=sum(p.numel() for p in model.parameters()),
            blocks=len(blocks),
            width=config.hidden_size,
            vocabulary=config.vocab_size,
            block_parameters=sum(p.numel() for p in blocks.parameters()),
            block_values=max(_linear_values(block) for block in blocks),
            scan_values=max(_scan_values(block) for block in blocks),
        )


@dataclass(frozen=True)
class DataSize:
    """The examples and tokens that a cell's model is read on.

    Attributes:
        tokens: mean length of a prompt.
        longest: tokens of the longest prompt.
        examples: of validation, heldout and test, in all contexts.
        scored: examples of heldout and test.
        token_states: tokens of all prompts together if a probe reads tokens, else 0.
    """

    tokens: float
    longest: int
    examples: int
    scored: int
    token_states: int


@dataclass(frozen=True)
class Needs:
    """What one cell needs, in bytes and floating-point operations.

    Attributes:
        device: peak memory of the model's device.
        host: peak memory of the machine while probes are fitted.
        states: disk for the states of prompt and pair at the site `resid`.
        disk: disk for all states, the adapter, fits and scores.
        flops: of fine-tuning and reading, without fitting.
        calls: device calls of the same, which take longer than the operations on a fast device.
    """

    device: int
    host: int
    states: int
    disk: int
    flops: float
    calls: float


def estimate_needs(
    recipe: Recipe,
    model: nn.Module,
    settings: FinetuneSettings | None,
    data: DataSize,
    dtype: torch.dtype,
    weight_bytes: float,
    recurrent_layers: int = 0,
) -> Needs:
    """Estimate what a cell needs.

    Args:
        recipe: its tokens, projection and fits count.
        model: on the meta device; an adapter is added to it.
        settings: of fine-tuning; None for a cell that is not fine-tuned.
        data: what the model is read on.
        dtype: what the model computes in.
        weight_bytes: bytes per weight.
        recurrent_layers: recurrent states that are stored for a prompt, over all sites.
    """
    shape = ModelShape.of(model)
    state = bytes_per_state(model, dtype)
    states = data.examples * (3 * shape.blocks * state + LOG_ODDS_BYTES)
    layers = token_layers(recipe.tokens.layers, shape.blocks)
    recurrent = recurrent_layers * data.examples * recipe.projection.size * 4
    tokens = data.token_states * len(layers) * state
    lora, lora_values = _lora(model, settings) if settings else (0, 0)
    # Pairs are read in two passes; tokens and recurrent states in one more each.
    passes = 2 + (tokens > 0) + (recurrent > 0)
    weights = int(shape.parameters * weight_bytes) + lora * LORA_BYTES
    reading = _reading_bytes(shape, data, dtype)
    training = 0
    if settings:
        training = lora * (TRAINED_BYTES - LORA_BYTES)
        training += _training_bytes(shape, settings.batch, data, dtype, lora_values)
    context = CUDA_CONTEXT if torch.device(recipe.device).type == "cuda" else 0
    return Needs(
        device=context + weights + max(reading, training),
        host=max(_fitting_bytes(shape, data, state), 2 * recurrent),
        states=states,
        disk=states
        + recurrent
        + tokens
        + lora * LORA_BYTES
        + _fits_bytes(recipe, shape.blocks, shape.width, data)
        + _fits_bytes(recipe, recurrent_layers, 5 * recipe.projection.size, data),
        flops=_flops(shape, settings, data, lora, passes),
        calls=_calls(shape, settings, data, passes),
    )


def _linear_values(block: nn.Module) -> int:
    """Return the inputs and outputs of a block's matrices per token."""
    matrices = (p for name, p in block.named_parameters() if p.dim() == 2 and "A_log" not in name)
    return sum(sum(matrix.shape) for matrix in matrices)


def _scan_values(block: nn.Module) -> int:
    sizes = (
        getattr(mixer, "intermediate_size", 0) * getattr(mixer, "ssm_state_size", 0)
        for mixer in block.modules()
    )
    return max(sizes, default=0)


def _lora(model: nn.Module, settings: FinetuneSettings) -> tuple[int, int]:
    """Return an adapter's numbers, and the float32 numbers that it keeps per token."""
    adapted = add_lora(model, settings.rank, settings.alpha, settings.targets)
    tensors = [p for p in adapted.parameters() if p.requires_grad]
    return sum(t.numel() for t in tensors), sum(sum(t.shape) for t in tensors)


def _training_bytes(
    shape: ModelShape, batch: int, data: DataSize, dtype: torch.dtype, lora_values: int
) -> int:
    """Return the bytes of the activations for a backward pass and of three copies of the logits."""
    scan = SCAN_COPIES * shape.scan_values * 4
    token = shape.blocks * (shape.block_values * dtype.itemsize + scan) + lora_values * 4
    return batch * (data.longest * token + 3 * shape.vocabulary * 4)


def _reading_bytes(shape: ModelShape, data: DataSize, dtype: torch.dtype) -> int:
    """Return the bytes of one block's activations and the logits, in reading or validation."""
    token = shape.block_values * dtype.itemsize + SCAN_COPIES * shape.scan_values * 4
    logits = shape.vocabulary * 4 * 2
    states = shape.blocks * shape.width * 4 * 3
    read = READ_BATCH * ((data.longest + 1) * token + 2 * logits + states)
    return max(read, VALIDATION_BATCH * (data.longest * token + logits))


def _fitting_bytes(shape: ModelShape, data: DataSize, state: int) -> int:
    """Return the bytes of the pair's states (twice, while sorted) and of one fit's in float32."""
    pair = 2 * shape.blocks * data.examples * state
    return 2 * pair + 2 * shape.blocks * (data.examples - data.scored) * shape.width * 4


def _fits_bytes(recipe: Recipe, layers: int, width: int, data: DataSize) -> int:
    """Return the bytes of the scores, in store and cell, and of `width` numbers per fit and layer.

    These are a direction and, for recurrent states, the mean and the scale in float64.
    """
    return len(list_fits(recipe, 0)) * layers * 4 * (2 * data.scored + width)


def _flops(
    shape: ModelShape, settings: FinetuneSettings | None, data: DataSize, lora: int, passes: int
) -> float:
    """Return the operations of fine-tuning and reading.

    A forward pass takes 2 per block parameter and token, and 2 per parameter of the output head and
    example. A backward pass through frozen weights takes the same; an adapter's numbers take 6 per
    token.
    """
    head = 2 * shape.vocabulary * shape.width
    forward = 2 * shape.block_parameters * data.tokens + head
    flops = passes * data.examples * forward
    if settings:
        flops += settings.steps * settings.batch * (2 * forward + 6 * lora * data.tokens)
        flops += VALIDATED * forward
    return flops


def _calls(
    shape: ModelShape, settings: FinetuneSettings | None, data: DataSize, passes: int
) -> float:
    scan = SCAN_OPERATIONS * data.tokens if shape.scan_values else 0
    batches = passes * data.examples / READ_BATCH
    if settings:
        batches += 3 * settings.steps + VALIDATED / VALIDATION_BATCH
    return batches * shape.blocks * (OPERATIONS + scan)


def prompt_lengths(tokens: Sequence[Sequence[int]]) -> tuple[float, int]:
    """Return the mean and the maximal length of prompts."""
    counts = [len(ids) for ids in tokens]
    return sum(counts) / len(counts), max(counts)
