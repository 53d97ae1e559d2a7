"""What a cell needs of a machine, told from the model's config and the data alone.

Disk is counted: the states of `resid`, those of tokens and the adapter are known to the byte but
for headers; recurrent states and fits take at most what is said. Memory and operations are
estimates; every term of theirs stands below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.activations.residual import bytes_per_state
from benchmarks.activations.tokens import chosen_layers
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.fits import fits_of
from finetune.adapters.lora import add_lora
from finetune.architectures.blocks import block_list, unwrap
from finetune.training.settings import FinetuneSettings

LORA_BYTES = 4
"""Adapters are float32, whatever the precision of their base."""
TRAINED_BYTES = 5 * LORA_BYTES
"""For each number of an adapter: itself, its gradient, AdamW's two moments, the best one kept."""
SCAN_COPIES = 4
"""How often PyTorch's selective scan holds (channels, state) in float32, for each token."""
LOG_ODDS_BYTES = 12
"""Beside the states of an example: its index and the model's own log-odds."""
OPERATIONS = 40
"""Calls that a block with an adapter makes of the device in a forward pass; a backward pass makes
twice as many."""
SCAN_OPERATIONS = 6
"""Further calls for each token, where a block's scan runs token by token, without fused kernels."""
READ_BATCH = 64
VALIDATION_BATCH = 256
VALIDATED = 4 * 1024
"""Examples on which the validation loss is measured: 1,024, four times."""
CUDA_CONTEXT = 500_000_000
"""Bytes that CUDA and its libraries take before a tensor is made."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a model, from its config; no weight is loaded.

    Attributes:
        parameters: all of them, tied ones once.
        block_parameters: those in the blocks, which every token meets.
        vocabulary: rows of the output head.
        block_values: numbers that a block holds for each token while it is trained: what goes into
            and comes out of its linear layers (17 widths in a transformer, as in arXiv 2205.05198,
            section 4, whose 34 bytes at 2 bytes a number are the same).
        scan_values: channels times state of a state-space mixer, 0 elsewhere.
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
class Asked:
    """How much a cell asks of its model, in examples and tokens.

    Attributes:
        tokens: mean length of a prompt.
        longest: tokens of the longest one.
        examples: of validation, heldout and test, in all contexts.
        scored: of heldout and test.
        token_states: tokens of all those prompts together, if a probe reads them, else 0.
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
        device: peak memory of the device that the model is on.
        host: peak memory of the machine while probes are fitted.
        states: on the disk, of the prompt's last token and the pair at the site `resid`.
        disk: on the disk, with states, states of all tokens, adapter, fits and scores.
        flops: to fine-tune and to read; fitting is not in it.
        calls: of the device, for the same; on a fast one they take longer than the operations.
    """

    device: int
    host: int
    states: int
    disk: int
    flops: float
    calls: float


def needs_of(
    recipe: Recipe,
    model: nn.Module,
    settings: FinetuneSettings | None,
    asked: Asked,
    dtype: torch.dtype,
    weight_bytes: float,
    recurrent_layers: int = 0,
) -> Needs:
    """Return what a cell needs; `settings` is None for one that is not fine-tuned.

    `dtype` is what the model computes in, `weight_bytes` what each of its weights takes,
    `recurrent_layers` how many of its recurrent states are kept. `model` is without weights, on the
    meta device; it is given an adapter.
    """
    shape = ModelShape.of(model)
    state = bytes_per_state(model, dtype)
    states = asked.examples * (3 * shape.blocks * state + LOG_ODDS_BYTES)
    layers = chosen_layers(recipe.tokens.layers, shape.blocks)
    recurrent = recurrent_layers * asked.examples * recipe.projection.size * 4
    tokens = asked.token_states * len(layers) * state
    lora, lora_values = _lora(model, settings) if settings else (0, 0)
    # Pairs are read in two passes; tokens and recurrent states in one more each.
    passes = 2 + (tokens > 0) + (recurrent > 0)
    weights = int(shape.parameters * weight_bytes) + lora * LORA_BYTES
    reading = _reading_bytes(shape, asked, dtype)
    training = 0
    if settings:
        training = lora * (TRAINED_BYTES - LORA_BYTES)
        training += _training_bytes(shape, settings.batch, asked, dtype, lora_values)
    context = CUDA_CONTEXT if torch.device(recipe.device).type == "cuda" else 0
    return Needs(
        device=context + weights + max(reading, training),
        host=max(_fitting_bytes(shape, asked, state), 2 * recurrent),
        states=states,
        disk=states
        + recurrent
        + tokens
        + lora * LORA_BYTES
        + _fits_bytes(recipe, shape.blocks, shape.width, asked)
        + _fits_bytes(recipe, recurrent_layers, 5 * recipe.projection.size, asked),
        flops=_flops(shape, settings, asked, lora, passes),
        calls=_calls(shape, settings, asked, passes),
    )


def _linear_values(block: nn.Module) -> int:
    """Numbers that go into and come out of the matrices of a block, for each token."""
    matrices = (p for name, p in block.named_parameters() if p.dim() == 2 and "A_log" not in name)
    return sum(sum(matrix.shape) for matrix in matrices)


def _scan_values(block: nn.Module) -> int:
    sizes = (
        getattr(mixer, "intermediate_size", 0) * getattr(mixer, "ssm_state_size", 0)
        for mixer in block.modules()
    )
    return max(sizes, default=0)


def _lora(model: nn.Module, settings: FinetuneSettings) -> tuple[int, int]:
    """Return an adapter's numbers, and those that it holds in float32 for each token."""
    adapted = add_lora(model, settings.rank, settings.alpha, settings.targets)
    tensors = [p for p in adapted.parameters() if p.requires_grad]
    return sum(t.numel() for t in tensors), sum(sum(t.shape) for t in tensors)


def _training_bytes(
    shape: ModelShape, batch: int, asked: Asked, dtype: torch.dtype, lora_values: int
) -> int:
    """Activations that the backward pass needs, and the logits of the answer three times."""
    scan = SCAN_COPIES * shape.scan_values * 4
    token = shape.blocks * (shape.block_values * dtype.itemsize + scan) + lora_values * 4
    return batch * (asked.longest * token + 3 * shape.vocabulary * 4)


def _reading_bytes(shape: ModelShape, asked: Asked, dtype: torch.dtype) -> int:
    """Activations of one block, and the logits of two positions or of the validation batch."""
    token = shape.block_values * dtype.itemsize + SCAN_COPIES * shape.scan_values * 4
    logits = shape.vocabulary * 4 * 2
    states = shape.blocks * shape.width * 4 * 3
    read = READ_BATCH * ((asked.longest + 1) * token + 2 * logits + states)
    return max(read, VALIDATION_BATCH * (asked.longest * token + logits))


def _fitting_bytes(shape: ModelShape, asked: Asked, state: int) -> int:
    """The pair's states as they are put in order (twice), and in float32 those of one fit."""
    pair = 2 * shape.blocks * asked.examples * state
    return 2 * pair + 2 * shape.blocks * (asked.examples - asked.scored) * shape.width * 4


def _fits_bytes(recipe: Recipe, layers: int, width: int, asked: Asked) -> int:
    """Scores, in the store and in the cell, and for every fit and layer `width` numbers.

    Those are a direction and, of recurrent states, the mean and the scale in float64.
    """
    return len(fits_of(recipe, 0)) * layers * 4 * (2 * asked.scored + width)


def _flops(
    shape: ModelShape, settings: FinetuneSettings | None, asked: Asked, lora: int, passes: int
) -> float:
    """Operations of fine-tuning and reading.

    A forward pass is 2 for each parameter of the blocks and token, and 2 for each of the output
    head and example. A backward pass through frozen weights is as much again; an adapter's own
    numbers need 6 a token.
    """
    head = 2 * shape.vocabulary * shape.width
    forward = 2 * shape.block_parameters * asked.tokens + head
    flops = passes * asked.examples * forward
    if settings:
        flops += settings.steps * settings.batch * (2 * forward + 6 * lora * asked.tokens)
        flops += VALIDATED * forward
    return flops


def _calls(
    shape: ModelShape, settings: FinetuneSettings | None, asked: Asked, passes: int
) -> float:
    scan = SCAN_OPERATIONS * asked.tokens if shape.scan_values else 0
    batches = passes * asked.examples / READ_BATCH
    if settings:
        batches += 3 * settings.steps + VALIDATED / VALIDATION_BATCH
    return batches * shape.blocks * (OPERATIONS + scan)


def lengths(tokens: Sequence[Sequence[int]]) -> tuple[float, int]:
    """Return the mean and the greatest length of prompts."""
    counts = [len(ids) for ids in tokens]
    return sum(counts) / len(counts), max(counts)
