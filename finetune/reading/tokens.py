"""Hidden states at every token of a prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.architectures.blocks import block_list
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.batches import batches
from finetune.reading.forward import token_states
from finetune.reading.hooks import check_layers


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
    check_layers(layers, len(block_list(model)))
    tokens = prompt_tokens(tokenizer, prompts)
    return (
        TokenActivationBatch(
            torch.tensor(index), token_states(model, [tokens[i] for i in index], layers)
        )
        for index in batches(tokens, batch_size)
    )
