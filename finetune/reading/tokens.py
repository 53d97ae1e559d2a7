"""Hidden states at every token of a prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.batches import batches_by_length
from finetune.reading.forward import check_eval_mode, token_states
from finetune.reading.hooks import check_layers


@dataclass(frozen=True)
class TokenActivationBatch:
    """Hidden states at every token of some prompts of one length, on the CPU.

    Attributes:
        index: positions of these prompts in the list passed to `read_token_activations`.
        states: block outputs in the order of `layers`, in the precision of the blocks.
    """

    index: Int[Tensor, "n"]
    states: Float[Tensor, "layers n t d"]


def read_token_activations(
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    layers: Sequence[int],
    *,
    batch_size: int = 64,
) -> Iterator[TokenActivationBatch]:
    """Read the hidden states at every token of prompts, batch by batch, shorter prompts first.

    Args:
        model: a causal language model in eval mode, with or without a peft adapter.
        tokenizer: the model's tokenizer.
        prompts: the texts to read.
        layers: blocks to read (l = 1..L).
        batch_size: maximum number of prompts in a forward pass. All prompts of a batch have the
            same number of tokens.

    Raises:
        ValueError: before the first forward pass, if the model is in training mode, has no list of
            blocks or lacks a layer, or if a prompt has no tokens.
    """
    check_eval_mode(model)
    check_layers(layers, len(block_list(model)))
    tokens = prompt_tokens(tokenizer, prompts)
    return (
        TokenActivationBatch(
            torch.tensor(index), token_states(model, [tokens[i] for i in index], layers)
        )
        for index in batches_by_length(tokens, batch_size)
    )
