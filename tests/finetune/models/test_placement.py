"""Weights are placed and quantised as requested, or refused before they are loaded."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import disk_offload
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.models import placement
from finetune.models.load import load_model
from finetune.models.placement import check_quantise, placement_options, prepare_for_training
from finetune.models.skeleton import load_skeleton
from finetune.reading.hooks import block_outputs
from finetune.reading.residual import read_activations

PROMPTS = ["Alice says that 2 + 2 = 4. True or false?", "3 + 5 = 9?"]
CHOICES = [(" False", " True")] * 2


@pytest.fixture
def folder(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> str:
    """A model of every family in turn, saved."""
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return str(tmp_path)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bitsandbytes seems to be installed."""
    version = importlib.metadata.version
    monkeypatch.setattr(placement, "find_spec", lambda name: object())
    monkeypatch.setattr(
        importlib.metadata, "version", lambda n: "0.48" if n == "bitsandbytes" else version(n)
    )


def test_spread_and_offloaded_blocks_give_the_same_states(folder: str) -> None:
    """accelerate offloads blocks if the device is full; their weights are then on meta."""
    plain, spread = load_model(folder), load_model(folder, device_map="auto")
    expected = next(read_activations(plain.model, plain.tokenizer, PROMPTS, CHOICES))
    whole = next(read_activations(spread.model, spread.tokenizer, PROMPTS, CHOICES))
    disk_offload(spread.model, f"{folder}/weights", execution_device=torch.device("cpu"))
    assert next(spread.model.parameters()).is_meta
    offloaded = next(read_activations(spread.model, spread.tokenizer, PROMPTS, CHOICES))
    for batch in (whole, offloaded):
        torch.testing.assert_close(batch.pair, expected.pair)
        torch.testing.assert_close(batch.log_odds, expected.log_odds)


def test_outputs_of_blocks_on_several_devices_are_stacked(
    tiny_model: Callable[..., PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stacked as they are, tensors of two devices raise."""
    from finetune.reading import forward as reading

    model = tiny_model("gpt_neox")
    with torch.no_grad(), block_outputs(model, [-1]) as outputs:
        model(input_ids=torch.tensor([[5, 6]]), use_cache=False)
    expected = torch.stack(outputs)
    moved: list[torch.device] = []
    to = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda t, d: (moved.append(d), to(t, d))[1])
    assert torch.equal(reading._stack_on_cpu(outputs), expected)
    assert moved == [outputs[0].device] * len(outputs)


@pytest.mark.parametrize("bits", [4, 8])
def test_quantised_weights_are_placed_while_they_are_loaded(installed: None, bits: int) -> None:
    options = placement_options(torch.bfloat16, "cuda:1", None, bits)  # type: ignore[arg-type]
    config = options["quantization_config"]
    assert (config.load_in_4bit, config.load_in_8bit) == (bits == 4, bits == 8)
    assert options["device_map"] == {"": "cuda:1"}
    assert placement_options(torch.bfloat16, "cuda:1", "auto", bits)["device_map"] == "auto"  # type: ignore[arg-type]
    if bits == 4:
        assert config.bnb_4bit_compute_dtype == torch.bfloat16


def test_whole_weights_are_moved_after_loading() -> None:
    assert placement_options(torch.float16, "cuda", None, None) == {"dtype": torch.float16}
    assert placement_options(torch.float16, "cuda", "auto", None)["device_map"] == "auto"


def test_without_bitsandbytes_quantising_is_refused_before_weights_are_loaded(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "find_spec", lambda name: None)
    check_quantise("mine", load_skeleton(folder), None)
    with pytest.raises(ValueError, match=r"quantise = 8 needs .*pip install 'quirky\[quantised\]'"):
        load_model(folder, quantise=8)


@pytest.mark.parametrize("family", ["mamba", "mamba2"])
def test_a_state_space_model_is_not_quantised(
    installed: None, tiny_model: Callable[..., PreTrainedModel], family: str
) -> None:
    with pytest.raises(
        ValueError, match=r"'mine': quantise = 4; the scan .* reads its weights directly"
    ):
        check_quantise("mine", tiny_model(family), 4)
    check_quantise("mine", tiny_model("llama"), 4)


def test_only_a_quantised_model_is_prepared_for_training(
    tiny_model: Callable[..., PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[nn.Module] = []
    monkeypatch.setattr(
        placement, "prepare_model_for_kbit_training", lambda m, **_: prepared.append(m) or m
    )
    model = tiny_model("llama")
    assert prepare_for_training(model) is model
    assert not prepared
    monkeypatch.setattr(model, "is_quantized", True, raising=False)
    assert prepare_for_training(model) is model
    assert prepared == [model]
