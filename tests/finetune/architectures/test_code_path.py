"""The code that runs a model has a name."""

import pytest
import torch

from finetune.architectures.kernels import code_path
from finetune.architectures.scan import use_cpu_scan


@pytest.mark.parametrize(
    ("family", "dtype", "scanned", "path"),
    [
        ("gpt_neox", torch.float32, False, "transformers (cpu)"),
        ("mamba", torch.float32, True, "finetune.architectures.scan (cpu)"),
        ("mamba", torch.bfloat16, True, "transformers (cpu)"),
        ("mamba", torch.float32, False, "transformers (cpu)"),
        ("mamba2", torch.float32, True, "transformers (cpu)"),
    ],
)
def test_the_code_that_runs_the_model_is_named(tiny_model, family, dtype, scanned, path):
    model = tiny_model(family).to(dtype)
    assert code_path(use_cpu_scan(model) if scanned else model) == path
