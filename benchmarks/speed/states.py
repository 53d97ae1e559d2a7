"""States to time fits on: a randomly initialised GPT-NeoX, with labels from a noisy teacher."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from rich.progress import track
from sklearn.metrics import roc_auc_score
from torch import Tensor
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from finetune.reading.hooks import block_outputs
from probes.numerics.scaling import feature_scale, standardise

VOCABULARY = 8192
TOKENS = 2
SPREAD = 2.6
"""Standard deviation of the teacher's logits; it gives the teacher an AUROC of about .9."""


@dataclass(frozen=True)
class PlantedStates:
    """Hidden states of random prompts and of two answers to each, and labels."""

    prompt: Float[Tensor, "layers n d"]
    pair: Float[Tensor, "pair_layers n 2 d"]
    """For a few layers only."""
    labels: Bool[Tensor, "n"]
    auroc: float
    """AUROC of the teacher that drew the labels, an upper bound for probes."""


def planted_states(
    layers: int = 24, n: int = 4000, d: int = 1024, pair_layers: tuple[int, ...] = (24,)
) -> PlantedStates:
    """Return residual states of random token sequences; the same on every call.

    The labels are drawn from the sigmoid of a random linear function of the middle layer's states.

    Args:
        layers: number of blocks.
        n: number of prompts.
        d: width of the residual stream.
        pair_layers: the layers (1..layers) whose pair states are returned.
    """
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=VOCABULARY,
            hidden_size=d,
            num_hidden_layers=layers,
            num_attention_heads=max(1, d // 64),
            intermediate_size=d,
        )
    ).eval()
    tokens = torch.randint(VOCABULARY, (n, TOKENS))
    answers = torch.randint(VOCABULARY, (2,)).tolist()
    prompt, pair = torch.empty(layers, n, d), torch.empty(len(pair_layers), n, 2, d)
    rows = torch.arange(n).split(100)
    with torch.inference_mode(), block_outputs(model, [-2, -1]) as outputs:
        for batch in track(rows, description="states of a random GPT-NeoX"):
            for side, answer in enumerate(answers):
                sequences = torch.nn.functional.pad(tokens[batch], (0, 1), value=answer)
                model.gpt_neox(sequences, use_cache=False)
                at_answer = [outputs[layer - 1][:, 1] for layer in pair_layers]
                pair[:, batch, side] = torch.stack(at_answer)
            prompt[:, batch] = torch.stack(outputs)[:, :, 0]
    middle = prompt[layers // 2]
    mean, scale = (moment[0] for moment in feature_scale(middle[None]))
    logits = standardise(middle, mean, scale) @ torch.randn(d, dtype=torch.float64)
    logits *= SPREAD / logits.std()
    labels = torch.rand(n, dtype=torch.float64) < logits.sigmoid()
    return PlantedStates(prompt, pair, labels, roc_auc_score(labels, logits))
