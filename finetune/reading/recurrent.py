"""Recurrent states of a model after a prompt: what it carries from one token to the next.

The states are those in transformers' cache after one pass over the whole prompt. No cache is
continued, and prompts of one exact length are run together, so no state has seen padding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.models.recurrent_gemma.modeling_recurrent_gemma import (
    RecurrentGemmaRecurrentBlock,
)

from finetune.architectures.blocks import block_list, unwrap
from finetune.architectures.devices import input_device
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.batches import batches_by_length
from finetune.reading.forward import check_eval_mode

STATE_SITES = ("ssm_state", "conv_state")
"""State of the recurrence, and the last inputs of the short convolution or token shift."""

StatesByBlock = dict[int, Float[Tensor, "n width"]]
"""Flattened raw states by block (l = 1..L)."""


@dataclass(frozen=True)
class Projection:
    """A seeded random projection to `size` dimensions; states that are no wider stay as they are.

    All states of one width share one matrix of random signs divided by sqrt(size). It preserves
    distances between examples up to a relative error of about 1 / sqrt(size) (Achlioptas 2003,
    *Database-friendly random projections*).
    """

    size: int = 512
    seed: int = 0

    def __call__(self, states: Float[Tensor, "n width"]) -> Float[Tensor, "n size"]:
        """Return the projection in float32, on the device of the states."""
        states = states.float()
        width = states.shape[1]
        if width <= self.size:
            return states
        return states @ _projection_matrix(width, self.size, self.seed, states.device)


@lru_cache(maxsize=4)
def _projection_matrix(
    width: int, size: int, seed: int, device: torch.device
) -> Float[Tensor, "width size"]:
    bits = np.random.default_rng([seed, width, size]).integers(0, 2, (width, size), np.int8)
    return (torch.from_numpy(bits).to(device).float() * 2 - 1) / size**0.5


@dataclass(frozen=True)
class RecurrentStateBatch:
    """Projected recurrent states after some prompts of one length, in float32 on the CPU.

    Attributes:
        index: positions of these prompts in the list passed to `read_recurrent_states`.
        states: by site, layers in the order of `state_layers`.
    """

    index: Int[Tensor, "n"]
    states: Mapping[str, Float[Tensor, "layers n size"]]


def read_recurrent_states(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    sites: Sequence[str],
    projection: Projection,
    *,
    batch_size: int = 64,
) -> Iterator[RecurrentStateBatch]:
    """Read the recurrent states after the last token of prompts, batch by batch.

    Args:
        model: a causal language model in eval mode, with or without a peft adapter.
        tokenizer: the model's tokenizer.
        prompts: the texts to read.
        sites: which states to read, of `STATE_SITES`.
        projection: applied to the state of every block.
        batch_size: maximum number of prompts in a forward pass. All prompts of a batch have the
            same number of tokens; shorter ones come first.

    Raises:
        ValueError: before the first forward pass, if the model is in training mode, a site is
            unknown, or a prompt has no tokens; after it, if the model has no state at a site.
    """
    check_eval_mode(model)
    for site in sites:
        if site not in STATE_SITES:
            raise ValueError(f"unknown site {site!r}; known: {', '.join(STATE_SITES)}")
    tokens = prompt_tokens(tokenizer, prompts)
    return (
        _read_batch(model, index, [tokens[i] for i in index], sites, projection)
        for index in batches_by_length(tokens, batch_size)
    )


def _read_batch(
    model: nn.Module,
    index: list[int],
    token_lists: list[list[int]],
    sites: Sequence[str],
    projection: Projection,
) -> RecurrentStateBatch:
    raw_states = recurrent_states(model, torch.tensor(token_lists))
    states = {}
    for site in sites:
        if not raw_states[site]:
            raise ValueError(f"{type(unwrap(model)).__name__} has no {site}")
        projected = [projection(block_states) for block_states in raw_states[site].values()]
        states[site] = torch.stack([block_states.cpu() for block_states in projected]).clone()
    return RecurrentStateBatch(torch.tensor(index), states)


def recurrent_states(model: nn.Module, tokens: Int[Tensor, "n t"]) -> dict[str, StatesByBlock]:
    """Run prompts of one length and return the raw states after the last token, by site.

    The sites are those of `STATE_SITES`; blocks without a state are left out. For RWKV, `ssm_state`
    is the numerator, denominator and largest exponent of its weighted average, and `conv_state` the
    inputs that token shift mixes in, of attention and feed-forward.
    """
    model = unwrap(model)
    with torch.inference_mode():
        input_ids = tokens if tokens.is_meta else tokens.to(input_device(model))
        output = model(input_ids=input_ids, use_cache=True)
        states = cached_states(model, output)
    return {site: dict(sorted(states.get(site, {}).items())) for site in STATE_SITES}


def state_layers(skeleton: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return, for each site, the blocks (l = 1..L) that have a state; none in a transformer.

    Args:
        skeleton: the model on the meta device. It is modified, so build one for this call.

    Raises:
        ValueError: if transformers cannot return the recurrent states of this family.
    """
    # On the meta device, mixtures of experts multiply in this precision only.
    skeleton = unwrap(skeleton).eval().to(torch.bfloat16)
    # With a padding token, transformers inspects token values, which meta tensors do not have.
    skeleton.config.pad_token_id = None  # type: ignore[union-attr]
    try:
        states = recurrent_states(skeleton, torch.zeros(1, 2, dtype=torch.long, device="meta"))
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"{type(skeleton).__name__}: transformers cannot return its recurrent states: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return {site: tuple(states[site]) for site in STATE_SITES}


def cached_states(model: nn.Module, output: Any) -> dict[str, StatesByBlock]:
    """Return the raw states that a forward pass with `use_cache=True` left behind, by site."""
    if "state" in output:
        return _rwkv_states(output.state)
    cache = output.get("cache_params", output.get("past_key_values"))
    if hasattr(cache, "linear_cache"):  # MiniMax; its attention layers have empty lists
        linear_cache = enumerate(cache.linear_cache, start=1)
        return {"ssm_state": {i: s.flatten(1) for i, s in linear_cache if isinstance(s, Tensor)}}
    if hasattr(cache, "rnn_state"):  # xLSTM: matrix memory, normaliser, largest exponent
        return {"ssm_state": {i + 1: _concatenate(s) for i, s in cache.rnn_state.items()}}
    if cache is None:
        return _recurrent_gemma_states(model)
    return {
        "ssm_state": _layer_states(cache, "recurrent_states"),
        "conv_state": _layer_states(cache, "conv_states"),
    }


def _layer_states(cache: Any, attribute: str) -> StatesByBlock:
    """Return the states of a standard cache.

    Layers without a recurrence lack the attribute; some layers have several states.
    """
    states = {}
    for i, layer in enumerate(cache.layers, start=1):
        parts = [state for state in getattr(layer, attribute, {}).values() if state is not None]
        if parts:
            states[i] = _concatenate(parts)
    return states


def _rwkv_states(state: Sequence[Float[Tensor, "n width layers"]]) -> dict[str, StatesByBlock]:
    token_shift = torch.cat(list(state[:2]), dim=1)
    average = torch.cat(list(state[2:]), dim=1)
    blocks = range(1, token_shift.shape[-1] + 1)
    return {
        "ssm_state": {i: average[..., i - 1] for i in blocks},
        "conv_state": {i: token_shift[..., i - 1] for i in blocks},
    }


def _recurrent_gemma_states(model: nn.Module) -> dict[str, StatesByBlock]:
    """RecurrentGemma keeps its states in its modules, not in a cache."""
    states: dict[str, StatesByBlock] = {site: {} for site in STATE_SITES}
    for i, block in enumerate(block_list(model), start=1):
        for module in block.modules():
            if isinstance(module, RecurrentGemmaRecurrentBlock):
                states["ssm_state"][i] = module.rg_lru.recurrent_states.flatten(1)
                assert module.conv1d_state is not None  # None only before the first pass
                states["conv_state"][i] = module.conv1d_state.flatten(1)
    return states


def _concatenate(states: Sequence[Tensor]) -> Float[Tensor, "n width"]:
    return torch.cat([state.flatten(1) for state in states], dim=1)
