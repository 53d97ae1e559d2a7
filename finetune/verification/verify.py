"""Is a family read exactly? A tiny model of it, read in every way that must agree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list, lora_targets
from finetune.reading.forward import logits_and_states
from finetune.reading.hooks import block_outputs
from finetune.reading.recurrent import STATE_SITES, recurrent_states
from finetune.verification.tiny_families import tiny_model

EXACT = 1e-5
"""Figures that should be equal differ by no more than this, relative to the largest of a layer."""

PROMPTS, TOKENS = 4, 70
"""Longer than the chunks in which scans are cut, and than the windows of sliding attention."""


@dataclass(frozen=True)
class Verified:
    """What was found of one family.

    Attributes:
        family: transformers' `model_type`.
        blocks: classes of its blocks, and how many there are of each.
        targets: what LoRA adapts in it.
        sites: where it is read, with the blocks that have a recurrent state.
        error: largest difference between readings that should be equal, relative to the largest
            number of the layer.
        refused: why it is not read; then there is nothing else.
    """

    family: str
    blocks: str = ""
    targets: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    error: float = float("nan")
    refused: str = ""


def verify(family: str) -> Verified:
    """Build a tiny model of a family and read it in batches, alone, and with an answer behind."""
    try:
        model = tiny_model(family)
        blocks = block_list(model)
        targets = tuple(lora_targets(model))
    except ValueError as reason:
        return Verified(family, refused=str(reason))
    error = max(resid_error(model), *state_errors(model).values())
    refused = f"readings that should be equal differ by {error:.1e}" if error > EXACT else ""
    counted = Counter(type(block).__name__ for block in blocks)
    return Verified(
        family,
        ", ".join(f"{count} {name}" for name, count in counted.items()),
        targets,
        ("resid", *_state_sites(model)),
        error,
        refused,
    )


def resid_error(model: nn.Module) -> float:
    """Return the largest difference between four ways to read the state at a prompt's last token.

    In a batch, alone, with an answer behind it, and as what the next block is given. The log-odds
    of two answers are held against the logits of a plain run.
    """
    tokens = drawn_tokens(model)
    logits, batch = logits_and_states(model, tokens.tolist(), [-2, -1])
    worst = 0.0
    for i, prompt in enumerate(tokens):
        own_logits, own = _plain_run(model, prompt)
        short_logits, short = logits_and_states(model, [prompt[:-1].tolist()], [-1])
        for states in (batch[:, i], torch.cat([short[:, 0], own[:, -1:]], dim=1)):
            worst = max(worst, _difference(states, own[:, -2:]))
        for odds in (logits[i], short_logits[0]):
            worst = max(worst, _difference(odds[None], own_logits[-2][None]))
    return worst


def state_errors(model: nn.Module) -> dict[str, float]:
    """Return, of each site, the largest difference between a batch and one prompt at a time."""
    tokens = drawn_tokens(model)
    batch = recurrent_states(model, tokens)
    alone = [recurrent_states(model, prompt[None]) for prompt in tokens]
    return {
        site: max(
            [
                _difference(states[None], torch.cat([one[site][layer] for one in alone])[None])
                for layer, states in batch[site].items()
            ],
            default=0.0,
        )
        for site in STATE_SITES
    }


def drawn_tokens(
    model: nn.Module, prompts: int = PROMPTS, length: int = TOKENS
) -> Int[Tensor, "n t"]:
    """Draw prompts of one length from the vocabulary, the same every time."""
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    return torch.randint(1, vocabulary, (prompts, length), generator=generator)


def _plain_run(
    model: nn.Module, prompt: Int[Tensor, "t"]
) -> tuple[Float[Tensor, "t vocab"], Float[Tensor, "layers t d"]]:
    """Run one prompt and take what each block is given by the one before; the last one's output."""
    blocks = block_list(model)
    given: list[Tensor] = []

    def keep(_module: nn.Module, args: tuple, kwargs: dict) -> None:
        given.append(args[0] if args else kwargs["hidden_states"])

    hooks = [block.register_forward_pre_hook(keep, with_kwargs=True) for block in blocks]
    try:
        with torch.inference_mode(), block_outputs(model, None, [len(blocks)]) as last:
            logits = model(input_ids=prompt[None], use_cache=False).logits
    finally:
        for hook in hooks:
            hook.remove()
    return logits[0].clone(), torch.cat([*given[1:], last[0]]).clone()


def _difference(a: Float[Tensor, "layers *n"], b: Float[Tensor, "layers *n"]) -> float:
    """Return the largest difference, relative to the largest number of its layer; infinite if a
    number is not finite.
    """
    if not (a.isfinite().all() and b.isfinite().all()):
        return inf
    scale = b.flatten(1).abs().amax(1).clamp(min=torch.finfo(b.dtype).tiny)
    return float(((a - b).flatten(1).abs().amax(1) / scale).max())


def _state_sites(model: nn.Module) -> Iterator[str]:
    for site, states in recurrent_states(model, drawn_tokens(model)[:1]).items():
        if states:
            yield f"{site} ({_ranges(list(states))})"


def _ranges(layers: Sequence[int]) -> str:
    """Blocks in short: 1-3, 5."""
    parts: list[list[int]] = []
    for layer in layers:
        if parts and layer == parts[-1][-1] + 1:
            parts[-1].append(layer)
        else:
            parts.append([layer])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
