"""What a model says and holds on prompts: log-odds and hidden states.

Prompts of one exact token length form a batch, so no model ever sees padding, and both answers are
run from the start of the prompt, so no cache is ever continued. "Layer l" is the output of block l
(l = 1..L) before any final norm, taken by a forward hook, in every family alike.
"""

import inspect
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list, unwrap
from finetune.architectures.devices import input_device
from finetune.prompting.answers import Choices, PromptEncoder, answer_token_pairs, prompt_tokens

State = Literal["prompt", "pair"]


@dataclass(frozen=True)
class ActivationBatch:
    """What a model says and holds on some of the prompts; tensors are on the CPU.

    Attributes:
        index: positions of these prompts in the list that was given to `read_activations`.
        log_odds: logit of the true answer less that of the false one, at the prompt's last token.
        prompt: states at the prompt's last token, in the precision in which the blocks run.
        pair: states at the answer token, with the answers in the order (false, true).
    """

    index: Int[Tensor, "n"]
    log_odds: Float[Tensor, "n"]
    prompt: Float[Tensor, "layers n d"] | None
    pair: Float[Tensor, "layers n 2 d"] | None


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
    _check_layers(chosen, len(blocks))
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


def _check_layers(layers: Sequence[int], blocks: int) -> None:
    for layer in layers:
        if not 1 <= layer <= blocks:
            raise ValueError(f"layer {layer}: this model has the layers 1 to {blocks}")
    if not layers:
        raise ValueError(f"no layers to read; this model has 1 to {blocks}")


def read_activations(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    choices: Sequence[Choices],
    *,
    batch_size: int = 64,
    states: Collection[State] = ("prompt", "pair"),
) -> Iterator[ActivationBatch]:
    """Read prompts batch by batch, in order of their length; memory is bounded by one batch.

    Args:
        model: a causal language model in eval mode, with or without a peft adapter.
        tokenizer: the model's tokenizer.
        prompts: texts that end where the answer begins.
        choices: the two answers to each prompt, (false, true), each with its leading space.
        batch_size: most prompts in one forward pass.
        states: which hidden states to keep; none of them for the log-odds alone.

    Raises:
        ValueError: before anything is run, if the model is in training mode or has no usable list
            of blocks, if a prompt has no tokens, or as `answer_token_pairs`.
    """
    if model.training:
        raise ValueError("the model is in training mode, where dropout runs; call model.eval()")
    block_list(model)
    tokens = prompt_tokens(tokenizer, prompts)
    answers = answer_token_pairs(tokenizer, prompts, choices)
    return (
        _read_batch(model, index, [tokens[i] for i in index], [answers[i] for i in index], states)
        for index in batches(tokens, batch_size)
    )


@dataclass(frozen=True)
class TokenActivationBatch:
    """What a model holds at every token of some of the prompts, all of one length; on the CPU.

    Attributes:
        index: positions of these prompts in the list that was given to `read_token_activations`.
        tokens: states in the precision in which the blocks run, in the order of `layers`.
    """

    index: Int[Tensor, "n"]
    tokens: Float[Tensor, "layers n t d"]


def read_token_activations(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    layers: Sequence[int],
    *,
    batch_size: int = 64,
) -> Iterator[TokenActivationBatch]:
    """Read the states of all tokens of prompts at the output of some blocks (l = 1..L).

    Batches are those of `read_activations`, so that no token is padding.

    Raises:
        ValueError: before anything is run, if the model is in training mode or has no usable list
            of blocks or no such layer, or if a prompt has no tokens.
    """
    if model.training:
        raise ValueError("the model is in training mode, where dropout runs; call model.eval()")
    _check_layers(layers, len(block_list(model)))
    tokens = prompt_tokens(tokenizer, prompts)
    return (
        TokenActivationBatch(
            torch.tensor(index), _token_states(model, [tokens[i] for i in index], layers)
        )
        for index in batches(tokens, batch_size)
    )


def _token_states(
    model: nn.Module, tokens: list[list[int]], layers: Sequence[int]
) -> Float[Tensor, "layers n t d"]:
    base = unwrap(model)
    kept = {"logits_to_keep": 1} if keeps_logits(base) else {}
    ids = torch.tensor(tokens, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, None, layers) as outputs:
        base(input_ids=ids, use_cache=False, **kept)
    # Stacked out here, so that the result may enter autograd: inference tensors may not.
    return _stacked(outputs)


def log_odds(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    choices: Sequence[Choices],
    *,
    batch_size: int = 64,
) -> Float[Tensor, "n"]:
    """Logit of the true answer less that of the false one, in the order of the prompts.

    Raises:
        ValueError: as `read_activations`.
    """
    result = torch.empty(len(prompts))
    for reading in read_activations(
        model, tokenizer, prompts, choices, batch_size=batch_size, states=()
    ):
        result[reading.index] = reading.log_odds
    return result


def batches(tokens: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Yield the positions of sequences of one exact length, batch by batch, the shortest first."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, ids in enumerate(tokens):
        by_length[len(ids)].append(i)
    for length in sorted(by_length):
        group = by_length[length]
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def _read_batch(
    model: nn.Module,
    index: list[int],
    prompts: list[list[int]],
    answers: list[tuple[int, int]],
    states: Collection[State],
) -> ActivationBatch:
    if "pair" in states:
        # A causal model holds the same at the prompt's last token whatever follows it.
        with_false = [[*ids, false] for ids, (false, _) in zip(prompts, answers, strict=True)]
        with_true = [[*ids, true] for ids, (_, true) in zip(prompts, answers, strict=True)]
        logits, held = forward(model, with_false, positions=[-2, -1])
        _, held_true = forward(model, with_true, positions=[-1])
        prompt, pair = (
            held[:, :, 0].contiguous(),
            torch.stack([held[:, :, 1], held_true[:, :, 0]], dim=2),
        )
    elif "prompt" in states:
        logits, held = forward(model, prompts, positions=[-1])
        prompt, pair = held[:, :, 0], None
    else:
        logits, prompt, pair = forward(model, prompts, positions=[-1])[0], None, None
    false, true = logits.gather(1, torch.tensor(answers)).unbind(1)
    return ActivationBatch(
        index=torch.tensor(index),
        log_odds=true - false,
        prompt=prompt if "prompt" in states else None,
        pair=pair,
    )


def forward(
    model: nn.Module, tokens: list[list[int]], positions: Sequence[int]
) -> tuple[Float[Tensor, "n vocab"], Float[Tensor, "layers n positions d"]]:
    """Logits at the first of the positions, counted from the end, and the states at all of them."""
    base = unwrap(model)
    keep = -positions[0]
    kept = {"logits_to_keep": keep} if keeps_logits(base) else {}
    ids = torch.tensor(tokens, device=input_device(base))
    with torch.inference_mode(), block_outputs(base, positions) as outputs:
        logits = base(input_ids=ids, use_cache=False, **kept).logits[:, -keep]
    # Stacked out here, so that the result may enter autograd: inference tensors may not.
    return logits.float().cpu().clone(), _stacked(outputs)


def _stacked(outputs: Sequence[Tensor]) -> Float[Tensor, "layers ..."]:
    """Outputs of blocks that may lie on several devices, together on the CPU."""
    device = outputs[0].device
    return torch.stack([output.to(device) for output in outputs]).cpu()


def keeps_logits(model: nn.Module) -> bool:
    """Return whether the model can compute the logits of the last positions alone."""
    return "logits_to_keep" in inspect.signature(unwrap(model).forward).parameters
