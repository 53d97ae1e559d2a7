"""A model is resolved once: all that is known of it without its weights."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from finetune.models.fingerprint import model_fingerprint
from finetune.models.load import load_weights
from finetune.models.resolve import resolve_model
from finetune.models.source import BASES


@pytest.fixture
def folder(
    tiny_model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> str:
    """A tiny Mamba, saved."""
    tiny_model("mamba").save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return str(tmp_path)


def test_an_embedded_base_is_resolved_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(AutoModelForCausalLM, "from_pretrained")
    model = resolve_model("tiny-neox")
    assert (model.name, model.source) == ("tiny-neox", BASES / "tiny-neox")
    assert model.commit is None
    assert model.block_count == model.config.num_hidden_layers
    assert model.parameter_count > 1_000_000
    assert model.prompt_encoder is model.tokenizer
    assert model.fingerprint == model_fingerprint("tiny-neox")
    assert all(parameter.is_meta for parameter in model.skeleton.parameters())


def test_state_layers_leave_the_resolved_model_unchanged(folder: str) -> None:
    model = resolve_model(folder)
    config = copy.deepcopy(model.config.to_dict())
    blocks = tuple(range(1, model.block_count + 1))
    assert model.state_layers == {"ssm_state": blocks, "conv_state": blocks}
    assert model.config.to_dict() == config
    assert model.skeleton.config.to_dict() == config
    assert {parameter.dtype for parameter in model.skeleton.parameters()} == {torch.float32}


def test_weights_of_a_resolved_model_are_loaded(folder: str) -> None:
    resolved = resolve_model(folder)
    config = copy.deepcopy(resolved.config.to_dict())
    first, second = load_weights(resolved), load_weights(resolved)
    assert first.tokenizer is resolved.prompt_encoder
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not first.model.config.use_cache
    assert resolved.config.to_dict() == config
