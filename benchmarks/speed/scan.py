"""Mamba on a CPU: our selective scan against that of transformers, with equal weights."""

import copy
from collections.abc import Callable, Iterator

import torch
from transformers import MambaConfig, MambaForCausalLM

from benchmarks.speed.measure import Comparison, compare
from finetune.architectures.scan import use_cpu_scan


def comparisons() -> Iterator[Comparison]:
    """Yield training and inference: 3 blocks, batch 192, 16 tokens, 256 channels, state size 8."""
    torch.manual_seed(0)
    config = MambaConfig(vocab_size=64, hidden_size=128, state_size=8, num_hidden_layers=3)
    theirs = MambaForCausalLM(config)
    ours = use_cpu_scan(copy.deepcopy(theirs))
    tokens = torch.randint(64, (192, 16))
    baseline = "transformers' scan"
    yield compare("mamba training", baseline, _training(ours, tokens), _training(theirs, tokens))
    yield compare("mamba inference", baseline, _inference(ours, tokens), _inference(theirs, tokens))


def _training(model: MambaForCausalLM, tokens: torch.Tensor) -> Callable[[], None]:
    def step() -> None:
        model.train()
        model(tokens, labels=tokens, use_cache=False).loss.backward()
        model.zero_grad()

    return step


def _inference(model: MambaForCausalLM, tokens: torch.Tensor) -> Callable[[], None]:
    @torch.inference_mode()
    def forward() -> None:
        model.eval()
        model(tokens, use_cache=False)

    return forward
