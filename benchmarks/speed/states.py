"""States to time fits on: of a randomly initialised GPT-NeoX, with labels of a noisy teacher."""

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
"""Standard deviation of the teacher's logits, with which its own AUROC is about .9."""


@dataclass(frozen=True)
class PlantedStates:
    """States of random prompts and of two answers to each, and labels."""

    prompt: Float[Tensor, "layers n d"]
    pair: Float[Tensor, "paired n 2 d"]
    """Of a few of the layers only."""
    labels: Bool[Tensor, "n"]
    auroc: float
    """Of the teacher that drew the labels: no probe can be expected to do better."""


def planted_states(
    layers: int = 24, n: int = 4000, d: int = 1024, paired: tuple[int, ...] = (24,)
) -> PlantedStates:
    """Return residual states of random token sequences; the same on every call.

    The labels are drawn from the sigmoid of a random linear function of the states in the middle.
    `paired` names the layers (l = 1..layers) whose pair states are kept.
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
    prompt, pair = torch.empty(layers, n, d), torch.empty(len(paired), n, 2, d)
    rows = torch.arange(n).split(100)
    with torch.inference_mode(), block_outputs(model, [-2, -1]) as outputs:
        for some in track(rows, description="states of a random GPT-NeoX"):
            for side, answer in enumerate(answers):
                asked = torch.nn.functional.pad(tokens[some], (0, 1), value=answer)
                model.gpt_neox(asked, use_cache=False)
                pair[:, some, side] = torch.stack([outputs[layer - 1][:, 1] for layer in paired])
            prompt[:, some] = torch.stack(outputs)[:, :, 0]
    middle = prompt[layers // 2]
    mean, scale = (moment[0] for moment in feature_scale(middle[None]))
    logits = standardise(middle, mean, scale) @ torch.randn(d, dtype=torch.float64)
    logits *= SPREAD / logits.std()
    labels = torch.rand(n, dtype=torch.float64) < logits.sigmoid()
    return PlantedStates(prompt, pair, labels, roc_auc_score(labels, logits))
