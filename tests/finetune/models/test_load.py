"""Models are loaded by name, with their adapters, or refused before weights are loaded."""

import pytest
import torch
from peft import PeftModel
from saved_models import save, save_adapter
from transformers import AutoConfig

from finetune.architectures.blocks import block_list
from finetune.models import load as models
from finetune.models import source
from finetune.models.load import load_model
from finetune.models.resolve import resolve_model
from finetune.models.skeleton import load_skeleton
from finetune.models.source import embedded_bases
from finetune.models.tokenizer import load_tokenizer
from finetune.reading.residual import read_activations

PROMPTS = ["Alice says that 2 + 2 = 4. True or false?", "3 + 5 = 9?"]
CHOICES = [(" False", " True")] * 2


def states(model, tokenizer):
    return [reading.pair for reading in read_activations(model, tokenizer, PROMPTS, CHOICES)]


@pytest.fixture
def folder(model, tokenizer, tmp_path):
    """A model of every family in turn, saved."""
    return save(model, tokenizer, tmp_path / "saved")


@pytest.fixture
def bases(tiny_model, tokenizer, tmp_path, monkeypatch):
    """Two embedded bases, in bf16."""
    for family, name in (("gpt_neox", "tiny-neox"), ("mamba", "tiny-mamba")):
        save(tiny_model(family).to(torch.bfloat16), tokenizer, tmp_path / "bases" / name)
    monkeypatch.setattr(source, "BASES", tmp_path / "bases")


@pytest.fixture
def no_weights(monkeypatch):
    """Loading weights fails the test."""
    monkeypatch.delattr(models.AutoModelForCausalLM, "from_pretrained")


def test_a_saved_model_holds_the_same_states(model, tokenizer, folder):
    loaded = load_model(str(folder))
    assert not loaded.model.training
    assert loaded.model.config.use_cache is False
    assert loaded.tokenizer.vocab_size == tokenizer.vocab_size
    for a, b in zip(states(loaded.model, loaded.tokenizer), states(model, tokenizer), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_an_adapter_is_applied_and_stays_separate(model, tokenizer, folder, tmp_path):
    plain = states(model, tokenizer)
    adapted = save_adapter(model, tmp_path / "adapter")
    loaded = load_model(str(folder), adapter=tmp_path / "adapter")
    assert isinstance(loaded.model, PeftModel)
    assert not loaded.model.training
    expected = states(adapted, tokenizer)
    for a, b in zip(states(loaded.model, tokenizer), expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(plain[0], expected[0], atol=1e-3)
    with loaded.model.disable_adapter():
        for a, b in zip(states(loaded.model, tokenizer), plain, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_weights_have_the_requested_precision(bases):
    assert load_model("tiny-neox").model.dtype == torch.float32
    half = load_model("tiny-mamba", dtype=torch.bfloat16)
    assert half.model.dtype == torch.bfloat16
    assert all(torch.isfinite(pair).all() for pair in states(half.model, half.tokenizer))


def test_embedded_bases_are_found_by_name(bases, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert list(embedded_bases()) == ["tiny-mamba", "tiny-neox"]
    assert load_model("tiny-mamba").model.config.model_type == "mamba"
    resolve_model("tiny-neox")


def test_every_embedded_base_can_be_used():
    for name in embedded_bases():
        resolve_model(name)
        assert load_tokenizer(name).vocab_size > 0


def test_a_skeleton_has_the_shape_of_the_model_and_no_weights(model, folder, no_weights):
    skeleton = load_skeleton(str(folder))
    shapes = {name: p.shape for name, p in model.named_parameters()}
    assert {name: p.shape for name, p in skeleton.named_parameters()} == shapes
    assert all(p.is_meta for p in skeleton.parameters())
    assert len(block_list(skeleton)) == len(block_list(model))
    resolve_model(str(folder))


def test_an_unknown_name_is_refused_with_the_known_names(bases, no_weights):
    with pytest.raises(ValueError, match="unknown model") as error:
        resolve_model("tiny-neo")
    assert str(error.value) == (
        "unknown model 'tiny-neo'; did you mean 'tiny-neox'? "
        "known: tiny-mamba, tiny-neox, a local folder, or a hub id (org/name)"
    )
    with pytest.raises(ValueError, match="unknown model 'zzz'; known: tiny-mamba"):
        load_model("zzz")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (AutoConfig.for_model("t5"), "cannot be built: Unrecognized configuration class"),
        (
            AutoConfig.for_model("bart", encoder_layers=2, decoder_layers=3),
            "BartForCausalLM has no list of blocks of length num_hidden_layers=2",
        ),
    ],
)
def test_an_unusable_model_is_refused_from_its_config(config, reason, tmp_path, no_weights):
    config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=reason) as error:
        resolve_model(str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_folder_without_a_model_is_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="has no config"):
        resolve_model(str(tmp_path))
    save_adapter(tiny_model("gpt_neox"), tmp_path)
    with pytest.raises(ValueError, match="holds an adapter, not a model"):
        resolve_model(str(tmp_path))


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_an_incomplete_adapter_is_refused(bases, tiny_model, tmp_path, missing, no_weights):
    save_adapter(tiny_model("gpt_neox"), tmp_path / "adapter")
    (tmp_path / "adapter" / missing).unlink()
    with pytest.raises(ValueError, match=f"has no {missing}"):
        load_model("tiny-neox", adapter=tmp_path / "adapter")


def test_a_model_without_a_tokenizer_is_refused_in_one_line(model, tmp_path, no_weights):
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"tokenizer of .* cannot be loaded") as error:
        resolve_model(str(tmp_path))
    assert "\n" not in str(error.value)
