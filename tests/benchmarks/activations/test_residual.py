"""Extraction writes every state in its place, in memory that does not grow with examples."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.activations import parts
from benchmarks.activations.residual import ResidualActivations, extract_residual
from finetune.models.load import LoadedModel
from finetune.reading.residual import read_activations

PROMPTS = [f"Alice says that {'2 + ' * (i % 5)}{i} = 9. True or false?" for i in range(23)]
CHOICES = [(" False", " True") if i % 3 else (" true", " false") for i in range(23)]


@pytest.fixture
def loaded(
    tiny_model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerBase
) -> LoadedModel:
    return LoadedModel("random", tiny_model("gpt_neox"), tokenizer)


@pytest.fixture
def examples() -> Dataset:
    return Dataset.from_dict({"prompt": PROMPTS, "choices": [list(pair) for pair in CHOICES]})


@pytest.mark.parametrize("part_bytes", [1, 2**12, 2**30])
def test_states_stand_in_the_order_of_the_examples(
    loaded: LoadedModel,
    examples: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part_bytes: int,
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", part_bytes)
    extract_residual(loaded, examples, tmp_path, batch_size=2)
    activations = ResidualActivations(tmp_path)
    log_odds, prompt, pair = (
        activations.log_odds(),
        activations.read("prompt"),
        activations.read("pair"),
    )
    assert prompt.shape == (3, len(PROMPTS), 32)
    assert pair.shape == (3, len(PROMPTS), 2, 32)
    seen = 0
    for whole in read_activations(loaded.model, loaded.tokenizer, PROMPTS, CHOICES):
        seen += len(whole.index)
        close = {"atol": 1e-5, "rtol": 1e-5}
        torch.testing.assert_close(log_odds[whole.index], whole.log_odds, **close)
        torch.testing.assert_close(prompt[:, whole.index], whole.prompt, **close)
        torch.testing.assert_close(pair[:, whole.index], whole.pair, **close)
    assert seen == len(PROMPTS)


def test_the_manifest_lists_every_part(
    loaded: LoadedModel, examples: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 2**12)
    extract_residual(loaded, examples, tmp_path, batch_size=2)
    manifest = json.loads((tmp_path / "states.json").read_text())
    assert manifest["examples"] == len(PROMPTS)
    assert sorted(manifest["parts"]) == sorted(p.name for p in tmp_path.glob("*.safetensors"))
    assert len(manifest["parts"]) > 3


def test_progress_rises_to_one(loaded: LoadedModel, examples: Dataset, tmp_path: Path) -> None:
    said: list[float] = []
    extract_residual(
        loaded, examples, tmp_path, batch_size=4, progress=lambda _stage, done: said.append(done)
    )
    assert said == sorted(said)
    assert said[-1] == 1


MEASURE = """
import resource, sys, tempfile
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from benchmarks.activations import parts
from benchmarks.activations.residual import extract_residual
from finetune.models.load import LoadedModel

torch.set_num_threads(1)
words = ["[unk]", ".", "no", "yes", *"abcdefgh"]
plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[unk]"))
plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
shape = {"hidden_size": 512, "num_hidden_layers": 6, "intermediate_size": 8, "head_dim": 4}
heads = {"num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": len(words)}
model = LlamaForCausalLM(LlamaConfig(**shape, **heads)).eval()
loaded = LoadedModel("random", model, PreTrainedTokenizerFast(tokenizer_object=plain))

def peak(n, part_bytes):
    parts.PART_BYTES = part_bytes
    prompts = ["a b c d"[: 1 + 2 * (i % 4)] for i in range(n)]
    examples = Dataset.from_dict({"prompt": prompts, "choices": [[" no", " yes"]] * n})
    with tempfile.TemporaryDirectory() as folder:
        extract_residual(loaded, examples, Path(folder))
        assert len(list(Path(folder).glob("*.safetensors"))) > (part_bytes < 2**30)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

n = 1500
print(peak(n, 2**22), peak(4 * n, 2**22), peak(4 * n, 2**40))
"""


def test_peak_memory_does_not_grow_with_the_examples(tmp_path: Path) -> None:
    """Peaks of one process, in turn: some examples, four times as many, and those all held."""
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    # A process inherits the peak of the one that starts it: here a shell's, which is small.
    ended = subprocess.run(
        ["sh", "-c", '"$0" "$1"; exit $?', sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stderr
    some, four_times, all_held = map(int, ended.stdout.split())
    assert four_times < 1.1 * some
    assert all_held > 1.2 * four_times
