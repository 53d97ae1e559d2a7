"""Check whether a family is read exactly: read a tiny model of it in every way that must agree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list
from finetune.architectures.lora_targets import default_targets
from finetune.reading import STATE_SITES, block_outputs, logits_and_states, recurrent_states
from finetune.verification.tiny_families import tiny_model

TOLERANCE = 1e-5
"""Maximum difference between values that must be equal, relative to the largest of their layer."""

N_PROMPTS, PROMPT_LENGTH = 4, 70
"""The prompts are longer than the chunks of any scan and the windows of sliding attention."""


@dataclass(frozen=True)
class FamilyReport:
    """How a model family is read, or why it is not supported.

    Attributes:
        family: transformers' `model_type`.
        blocks: the number of blocks of each class.
        targets: names of the modules that LoRA adapts.
        sites: where hidden states are read, with the blocks that have a recurrent state.
        error: maximum difference between values that must be equal, relative to the largest value
            of their layer; NaN if nothing could be read.
        refusal: why the family is not supported; empty if it is.
    """

    family: str
    blocks: str = ""
    targets: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    error: float = float("nan")
    refusal: str = ""


def verify_family(family: str) -> FamilyReport:
    """Build a tiny model of a family and compare its states in a batch, alone and before an answer.

    Nothing is raised for a family that cannot be read; the report has the reason.
    """
    try:
        model = tiny_model(family)
        blocks = block_list(model)
        targets = tuple(default_targets(model))
    except ValueError as reason:
        return FamilyReport(family, refusal=str(reason))
    error = max(residual_error(model), *recurrent_state_errors(model).values())
    refusal = f"values that must be equal differ by {error:.1e}" if error > TOLERANCE else ""
    block_counts = Counter(type(block).__name__ for block in blocks)
    return FamilyReport(
        family,
        ", ".join(f"{count} {name}" for name, count in block_counts.items()),
        targets,
        ("resid", *_state_sites(model)),
        error,
        refusal,
    )


def residual_error(model: nn.Module) -> float:
    """Return the maximum relative difference between four ways to read the same hidden state.

    The state at a prompt's last token is read in a batch, alone, with an answer token after the
    prompt, and as the input of the next block. The log-odds of each way are compared with the
    logits of a plain forward pass.
    """
    tokens = random_tokens(model)
    logits, batch = logits_and_states(model, tokens.tolist(), [-2, -1])
    errors = [0.0]
    for i, prompt in enumerate(tokens):
        plain_logits, plain_states = _plain_run(model, prompt)
        short_logits, short = logits_and_states(model, [prompt[:-1].tolist()], [-1])
        for states in (batch[:, i], torch.cat([short[:, 0], plain_states[:, -1:]], dim=1)):
            errors.append(_relative_difference(states, plain_states[:, -2:]))
        for last_logits in (logits[i], short_logits[0]):
            errors.append(_relative_difference(last_logits[None], plain_logits[-2][None]))
    return max(errors)


def recurrent_state_errors(model: nn.Module) -> dict[str, float]:
    """Return, by site, the maximum relative difference between a batch and one prompt at a time."""
    tokens = random_tokens(model)
    batch = recurrent_states(model, tokens)
    single = [recurrent_states(model, prompt[None]) for prompt in tokens]
    return {
        site: max(
            [
                _relative_difference(
                    states[None], torch.cat([one[site][layer] for one in single])[None]
                )
                for layer, states in batch[site].items()
            ],
            default=0.0,
        )
        for site in STATE_SITES
    }


def random_tokens(
    model: nn.Module, prompts: int = N_PROMPTS, length: int = PROMPT_LENGTH
) -> Int[Tensor, "n t"]:
    """Draw prompts of one length from the model's vocabulary, with a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    return torch.randint(1, vocabulary, (prompts, length), generator=generator)


def _plain_run(
    model: nn.Module, prompt: Int[Tensor, "t"]
) -> tuple[Float[Tensor, "t vocab"], Float[Tensor, "layers t d"]]:
    """Return the logits of one prompt, and the inputs of blocks 2..L with the output of block L."""
    blocks = block_list(model)
    inputs: list[Tensor] = []

    def record(_module: nn.Module, args: tuple, kwargs: dict) -> None:
        inputs.append(args[0] if args else kwargs["hidden_states"])

    hooks = [block.register_forward_pre_hook(record, with_kwargs=True) for block in blocks]
    try:
        with torch.inference_mode(), block_outputs(model, None, [len(blocks)]) as last:
            logits = model(input_ids=prompt[None], use_cache=False).logits
    finally:
        for hook in hooks:
            hook.remove()
    return logits[0].clone(), torch.cat([*inputs[1:], last[0]]).clone()


def _relative_difference(a: Float[Tensor, "layers *n"], b: Float[Tensor, "layers *n"]) -> float:
    """Return the maximum difference, relative to the largest |b| of the layer.

    It is infinite if a value is not finite.
    """
    if not (a.isfinite().all() and b.isfinite().all()):
        return inf
    scale = b.flatten(1).abs().amax(1).clamp(min=torch.finfo(b.dtype).tiny)
    return float(((a - b).flatten(1).abs().amax(1) / scale).max())


def _state_sites(model: nn.Module) -> Iterator[str]:
    for site, states in recurrent_states(model, random_tokens(model)[:1]).items():
        if states:
            yield f"{site} ({_ranges(list(states))})"


def _ranges(layers: Sequence[int]) -> str:
    """Return layers as text, such as "1-3, 5"."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
