"""Log-odds of the answers, and hidden states at a prompt's last token and at the answer tokens.

Prompts of one exact token length form a batch, so the model never sees padding. Every sequence is
run from its start; no cache is continued. The state of layer l is the output of block l (l = 1..L),
before any final norm.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list
from finetune.prompting.answers import Choices, PromptEncoder, answer_token_pairs, prompt_tokens
from finetune.reading.batches import batches_by_length
from finetune.reading.forward import check_eval_mode, logits_and_states

StateKind = Literal["prompt", "pair"]


@dataclass(frozen=True)
class ActivationBatch:
    """Log-odds and hidden states of some prompts, on the CPU.

    Attributes:
        index: positions of these prompts in the list passed to `read_activations`.
        log_odds: logit of the true answer minus that of the false one, at the prompt's last token.
        prompt: states at the prompt's last token, in the precision of the blocks.
        pair: states at the answer token, in the order (false, true).
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
    states: Collection[StateKind] = ("prompt", "pair"),
) -> Iterator[ActivationBatch]:
    """Read prompts batch by batch, shorter prompts first. Only one batch is held in memory.

    Args:
        model: a causal language model in eval mode, with or without a peft adapter.
        tokenizer: the model's tokenizer.
        prompts: texts that end where the answer begins.
        choices: the two answers to each prompt, (false, true), each with its leading space.
        batch_size: maximum number of prompts in a forward pass.
        states: which hidden states to return; empty for the log-odds only.

    Raises:
        ValueError: before anything is run, if the model is in training mode or has no usable list
            of blocks, if a prompt has no tokens, or as `answer_token_pairs`.
    """
    check_eval_mode(model)
    block_list(model)
    tokens = prompt_tokens(tokenizer, prompts)
    answers = answer_token_pairs(tokenizer, prompts, choices)
    return (
        _read_batch(model, index, [tokens[i] for i in index], [answers[i] for i in index], states)
        for index in batches_by_length(tokens, batch_size)
    )


def log_odds(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    choices: Sequence[Choices],
    *,
    batch_size: int = 64,
) -> Float[Tensor, "n"]:
    """Return the logit of the true answer minus that of the false one, in the order of the prompts.

    Raises:
        ValueError: as `read_activations`.
    """
    values = torch.empty(len(prompts))
    for batch in read_activations(
        model, tokenizer, prompts, choices, batch_size=batch_size, states=()
    ):
        values[batch.index] = batch.log_odds
    return values


def _read_batch(
    model: nn.Module,
    index: list[int],
    prompts: list[list[int]],
    answers: list[tuple[int, int]],
    states: Collection[StateKind],
) -> ActivationBatch:
    prompt_states = pair_states = None
    if "pair" in states:
        # In a causal model the tokens that follow do not change the state at the prompt's end.
        with_false = [[*ids, false] for ids, (false, _) in zip(prompts, answers, strict=True)]
        with_true = [[*ids, true] for ids, (_, true) in zip(prompts, answers, strict=True)]
        logits, states_false = logits_and_states(model, with_false, positions=[-2, -1])
        _, states_true = logits_and_states(model, with_true, positions=[-1])
        pair_states = torch.stack([states_false[:, :, 1], states_true[:, :, 0]], dim=2)
        if "prompt" in states:
            prompt_states = states_false[:, :, 0].contiguous()
    else:
        logits, states_last = logits_and_states(model, prompts, positions=[-1])
        if "prompt" in states:
            prompt_states = states_last[:, :, 0]
    false, true = logits.gather(1, torch.tensor(answers)).unbind(1)
    return ActivationBatch(
        index=torch.tensor(index), log_odds=true - false, prompt=prompt_states, pair=pair_states
    )
