"""Mamba's fused CUDA kernels against the path of a CPU, which other tests hold to its equations.

transformers binds the kernels at import, whatever the device, so each side has its own process.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.skipif(find_spec("mamba_ssm") is None, reason="needs mamba-ssm (quirky[mamba])"),
]

SIDE = """
import sys
device, dtype, out = sys.argv[1:]
if device == "cpu":
    sys.modules["mamba_ssm"] = sys.modules["causal_conv1d"] = None

import torch
from safetensors.torch import save_file

from finetune.architectures.kernels import code_path
from finetune.architectures.blocks import unwrap
from finetune.models.load import load_model
from finetune.reading.residual import read_activations
from finetune.training.settings import FinetuneSettings
from finetune.training.trainer import make_quirky
from peft.tuners.lora import LoraLayer
from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

torch.set_num_threads(1)
data = build_dataset(
    get_task("fiction"), get_trigger("name"), sizes=Sizes(200, 200, 200), seed=0
)
loaded = load_model("tiny-mamba", dtype=getattr(torch, dtype), device=device)
asked = data["test"].select(range(64))
choices = [tuple(pair) for pair in asked["choices"]]
batches = read_activations(loaded.model, loaded.tokenizer, asked["prompt"], choices)
states = torch.cat([batch.prompt for batch in batches], dim=1)
tensors = {"states": states.float()}
if dtype == "float32":
    settings = FinetuneSettings(lr=3e-3, steps=10, batch=32)
    adapted = make_quirky(
        loaded.model, loaded.tokenizer, data["train"], data["validation"], settings
    )
    for name, module in unwrap(adapted).named_modules():
        if isinstance(module, LoraLayer):
            tensors[name] = module.get_delta_weight("default").detach().cpu()
save_file({k: v.contiguous() for k, v in tensors.items()}, out)
print(code_path(loaded.model))
"""


def side(device: str, dtype: str, folder: Path) -> tuple[dict[str, torch.Tensor], str]:
    """What one process reads and trains, and by which code."""
    out = folder / f"{device}-{dtype}.safetensors"
    words = [sys.executable, "-c", SIDE, device, dtype, str(out)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    return load_file(out), ended.stdout.splitlines()[-1]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 1e-2)])
def test_the_kernels_hold_the_same_states(dtype: str, tolerance: float, tmp_path: Path) -> None:
    on_cpu, _ = side("cpu", dtype, tmp_path)
    on_gpu, kernels = side("cuda", dtype, tmp_path)
    assert kernels.startswith("transformers (cuda), mamba_ssm, causal_conv1d")
    scale = on_cpu["states"].flatten(1).abs().amax(1)[:, None, None]
    assert ((on_gpu["states"] - on_cpu["states"]) / scale).abs().max() < tolerance


def test_the_kernels_train_the_same_adapter(tmp_path: Path) -> None:
    on_cpu, _ = side("cpu", "float32", tmp_path)
    on_gpu, _ = side("cuda", "float32", tmp_path)
    assert set(on_cpu) == set(on_gpu)
    for name in set(on_cpu) - {"states"}:
        alike = torch.cosine_similarity(on_cpu[name].flatten(), on_gpu[name].flatten(), dim=0)
        assert alike > 0.99, f"{name}: the changes of its weight point {alike:.3f} alike"
