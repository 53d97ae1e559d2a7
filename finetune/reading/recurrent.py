"""The recurrent states of a model after a prompt: all that it carries from one token to the next.

They are what transformers keeps in its cache after one pass over the whole prompt. No cache is ever
continued, and prompts of one exact length are run together, so no state ever saw padding.
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
from finetune.reading.batches import batches

STATE_SITES = ("ssm_state", "conv_state")
"""What the recurrence carries, and the last inputs of the short convolution (or token shift)."""

ByLayer = dict[int, Float[Tensor, "n numbers"]]


@dataclass(frozen=True)
class Projection:
    """A random projection to `size` numbers, the same for every state of one width.

    Signs over the root of `size`, which keeps distances between examples to about 1 part in the
    root of `size` (Achlioptas 2003, *Database-friendly random projections*). States that are no
    wider are kept as they are.
    """

    size: int = 512
    seed: int = 0

    def __call__(self, states: Float[Tensor, "n numbers"]) -> Float[Tensor, "n size"]:
        """Project, in float32, on the device of the states."""
        states = states.float()
        width = states.shape[1]
        if width <= self.size:
            return states
        return states @ _signs(width, self.size, self.seed, states.device)


@lru_cache(maxsize=4)
def _signs(width: int, size: int, seed: int, device: torch.device) -> Float[Tensor, "width size"]:
    drawn = np.random.default_rng([seed, width, size]).integers(0, 2, (width, size), np.int8)
    return (torch.from_numpy(drawn).to(device).float() * 2 - 1) / size**0.5


@dataclass(frozen=True)
class RecurrentStateBatch:
    """The projected states after some of the prompts, all of one length; on the CPU, in float32.

    Attributes:
        index: positions of these prompts in the list that was given to `read_recurrent_states`.
        states: of every site, in the order of `state_layers`.
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
    """Read the states after the last token of every prompt, in batches of one exact length.

    Raises:
        ValueError: before anything is run, if the model is in training mode, a site is unknown, or
            a prompt has no tokens; later if the model has none of the states that are asked for.
    """
    if model.training:
        raise ValueError("the model is in training mode, where dropout runs; call model.eval()")
    for site in sites:
        if site not in STATE_SITES:
            raise ValueError(f"unknown site {site!r}; known: {', '.join(STATE_SITES)}")
    tokens = prompt_tokens(tokenizer, prompts)
    return (
        _read(model, index, [tokens[i] for i in index], sites, projection)
        for index in batches(tokens, batch_size)
    )


def _read(
    model: nn.Module,
    index: list[int],
    tokens: list[list[int]],
    sites: Sequence[str],
    projection: Projection,
) -> RecurrentStateBatch:
    held = held_states(model, torch.tensor(tokens))
    states = {}
    for site in sites:
        if not held[site]:
            raise ValueError(f"{type(unwrap(model)).__name__} keeps no {site}")
        projected = [projection(states) for states in held[site].values()]
        states[site] = torch.stack([layer.cpu() for layer in projected]).clone()
    return RecurrentStateBatch(torch.tensor(index), states)


def held_states(model: nn.Module, tokens: Int[Tensor, "n t"]) -> dict[str, ByLayer]:
    """Run prompts of one length from their start; return site -> block (l = 1..L) -> raw states.

    RWKV's `ssm_state` is numerator, denominator and largest exponent of its average, its
    `conv_state` the inputs that its token shift mixes in, of attention and feed-forward.
    """
    model = unwrap(model)
    with torch.inference_mode():
        ids = tokens if tokens.is_meta else tokens.to(input_device(model))
        output = model(input_ids=ids, use_cache=True)
        states = states_of(model, output)
    return {site: dict(sorted(states.get(site, {}).items())) for site in STATE_SITES}


def state_layers(skeleton: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the blocks that have each of the sites: none of them in a transformer.

    `skeleton` is the model on the meta device, built for this alone: it is changed.

    Raises:
        ValueError: if transformers cannot keep the states of this family.
    """
    # Where experts are chosen, meta tensors are multiplied in this precision alone.
    skeleton = unwrap(skeleton).eval().to(torch.bfloat16)
    skeleton.config.pad_token_id = None  # type: ignore[union-attr]  # or tokens are looked at
    try:
        held = held_states(skeleton, torch.zeros(1, 2, dtype=torch.long, device="meta"))
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"{type(skeleton).__name__}: transformers cannot keep its recurrent states: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return {site: tuple(held[site]) for site in STATE_SITES}


def states_of(model: nn.Module, output: Any) -> dict[str, ByLayer]:
    """Return what a forward pass with a cache left behind: site -> block -> raw states."""
    if "state" in output:
        return _of_rwkv(output.state)
    cache = output.get("cache_params", output.get("past_key_values"))
    if hasattr(cache, "linear_cache"):  # MiniMax; empty lists stand for its attention layers
        linear = enumerate(cache.linear_cache, start=1)
        return {"ssm_state": {i: _flat(s) for i, s in linear if isinstance(s, Tensor)}}
    if hasattr(cache, "rnn_state"):  # xLSTM: matrix memory, its normaliser, its largest exponent
        memories = cache.rnn_state.items()
        return {"ssm_state": {i + 1: torch.cat([*map(_flat, kept)], 1) for i, kept in memories}}
    if cache is None:
        return _of_modules(model)
    return {
        "ssm_state": _of_layers(cache, "recurrent_states"),
        "conv_state": _of_layers(cache, "conv_states"),
    }


def _of_layers(cache: Any, kind: str) -> ByLayer:
    """A layer without a recurrence has no such attribute; one may have several states of a kind."""
    states = {}
    for i, layer in enumerate(cache.layers, start=1):
        kept = [state for state in getattr(layer, kind, {}).values() if state is not None]
        if kept:
            states[i] = torch.cat([_flat(state) for state in kept], dim=1)
    return states


def _of_rwkv(state: Sequence[Float[Tensor, "n width layers"]]) -> dict[str, ByLayer]:
    shifted, averaged = torch.cat(list(state[:2]), dim=1), torch.cat(list(state[2:]), dim=1)
    blocks = range(1, shifted.shape[-1] + 1)
    return {
        "ssm_state": {i: averaged[..., i - 1] for i in blocks},
        "conv_state": {i: shifted[..., i - 1] for i in blocks},
    }


def _of_modules(model: nn.Module) -> dict[str, ByLayer]:
    """RecurrentGemma keeps its states in its modules, not in a cache."""
    states: dict[str, ByLayer] = {site: {} for site in STATE_SITES}
    for i, block in enumerate(block_list(model), start=1):
        for module in block.modules():
            if isinstance(module, RecurrentGemmaRecurrentBlock):
                states["ssm_state"][i] = _flat(module.rg_lru.recurrent_states)
                assert module.conv1d_state is not None  # as it is before any pass
                states["conv_state"][i] = _flat(module.conv1d_state)
    return states


def _flat(state: Tensor) -> Float[Tensor, "n numbers"]:
    return state.flatten(1)
