"""What a model says and holds on prompts: log-odds and hidden states.

Prompts of one exact token length form a batch, so no model ever sees padding, and both answers are
run from the start of the prompt, so no cache is ever continued. "Layer l" is the output of block l
(l = 1..L) before any final norm, taken by a forward hook, in every family alike.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list
from finetune.prompting.answers import Choices, PromptEncoder, answers_after, prompt_tokens
from finetune.reading.batches import batches
from finetune.reading.forward import forward

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
