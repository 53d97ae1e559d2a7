import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from finetune.pretrain.corpora import train_tokenizer
from finetune.pretrain.vocabulary import VOCABULARY
from finetune.verification import tiny_families

TEXT = [
    "Alice says that 2 + 2 = 4. True or false? True",
    "Bob says that the town of Arda lies in the north. True or false? False",
    "3 + 5 = 9 is what Alice was told. Is it so? True False",
]
FAMILIES = ("gpt_neox", "llama", "mamba", "mamba2")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What `datasets` makes of files stays out of the user's cache."""
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("datasets")
    datasets.disable_progress_bars()


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    """A byte-level BPE tokenizer, as GPT-NeoX has one."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        TEXT * 2,
        trainers.BpeTrainer(
            vocab_size=300,
            initial_alphabet=alphabet,
            special_tokens=["<eos>"],
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<eos>")


@pytest.fixture
def tiny_model() -> Callable[..., PreTrainedModel]:
    """Builds a random model of a family, the same one every time."""
    return tiny_families.tiny_model


@pytest.fixture(scope="session")
def random_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small base that knows nothing, with the tokenizer of the embedded ones."""
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPTNeoXForCausalLM(config).save_pretrained(folder)
    train_tokenizer("facts").save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def raw_adapter() -> Callable[..., dict[str, torch.Tensor]]:
    """Writes a random LoRA adapter in peft's format without peft, and returns its tensors."""

    def write(
        model: torch.nn.Module, folder: Path, targets: list[str], rank: int = 8, **settings: Any
    ) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(len(str(settings)))
        tensors = {}
        for name, module in model.named_modules():
            if name.rpartition(".")[2] in targets:
                outs, ins = module.weight.shape
                halves = ("lora_A.weight", "lora_B.weight")
                if isinstance(module, torch.nn.Embedding):
                    outs, ins, halves = ins, outs, ("lora_embedding_A", "lora_embedding_B")
                for half, shape in zip(halves, ((rank, ins), (outs, rank)), strict=True):
                    values = torch.randn(shape, generator=generator) / 4
                    tensors[f"base_model.model.{name}.{half}"] = values
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "adapter_model.safetensors")
        known = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 8}
        config = {**known, "target_modules": targets, **settings}
        (folder / "adapter_config.json").write_text(json.dumps(config))
        return tensors

    return write


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Every family in turn."""
    return request.param


@pytest.fixture
def model(family: str, tiny_model: Callable[..., PreTrainedModel]) -> PreTrainedModel:
    """A random model of every family in turn."""
    return tiny_model(family)
