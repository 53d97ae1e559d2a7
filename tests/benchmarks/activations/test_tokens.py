"""States of all tokens: each in its place, at the requested layers, within the budget."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.activations import parts
from benchmarks.activations.tokens import (
    TokenActivations,
    check_budget,
    extract_tokens,
    token_layers,
)
from benchmarks.recipe.entries import TokensEntry
from finetune.models.load import LoadedModel

PROMPTS = [f"Alice says that {'2 + ' * (i % 5)}{i} = 9. True or false?" for i in range(23)]


@pytest.fixture
def loaded(
    tiny_model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerBase
) -> LoadedModel:
    return LoadedModel("random", tiny_model("gpt_neox"), tokenizer)


@pytest.mark.parametrize(
    ("requested", "blocks", "layers"),
    [
        (4, 8, (2, 4, 6, 8)),
        (1, 8, (8,)),
        (4, 9, (2, 4, 7, 9)),
        (12, 3, (1, 2, 3)),
        ((5, 2, 5), 8, (2, 5)),
    ],
)
def test_layers_are_evenly_spaced_or_named(requested, blocks, layers) -> None:
    assert token_layers(requested, blocks) == layers


@pytest.mark.parametrize("layer", [0, 9])
def test_a_layer_that_is_not_there_is_named(layer: int) -> None:
    with pytest.raises(ValueError, match=f"names layer {layer}; the model has 1 to 8"):
        token_layers((layer,), 8)


@pytest.mark.parametrize("part_bytes", [1, 2**12, 2**30])
def test_every_token_stands_in_its_place(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", part_bytes)
    extract_tokens(loaded, Dataset.from_dict({"prompt": PROMPTS}), tmp_path, (1, 3), batch_size=2)
    states = TokenActivations(tmp_path)
    assert states.layers == (1, 3)
    read = {layer: states.read(layer) for layer in states.layers}
    for i, prompt in enumerate(PROMPTS):
        ids = loaded.tokenizer(prompt, return_tensors="pt")["input_ids"]
        count = ids.shape[1]
        assert states.mask[i].tolist() == [place < count for place in range(states.mask.shape[1])]
        with torch.no_grad():
            # In GPT-NeoX entry l is the output of block l, but for the last, which is normed.
            hidden = loaded.model(ids, output_hidden_states=True).hidden_states
        torch.testing.assert_close(read[1][i, :count], hidden[1][0], atol=1e-5, rtol=1e-5)
        normed = loaded.model.gpt_neox.final_layer_norm(read[3][i, :count]).detach()
        torch.testing.assert_close(normed, hidden[3][0], atol=1e-5, rtol=1e-5)
        assert not read[3][i, count:].any()


def test_a_budget_that_is_too_small_is_refused_with_what_would_fit(loaded: LoadedModel) -> None:
    tokens = sum(len(ids) for ids in loaded.tokenizer(PROMPTS)["input_ids"])
    needed = 2 * tokens * 32 * 4 / 1e9
    inputs = (loaded.model, loaded.tokenizer, PROMPTS, torch.float32)
    check_budget(TokensEntry(layers=2, gigabytes=needed * 1.001), *inputs)
    with pytest.raises(ValueError, match=f"2 layers x {tokens:,} tokens x 32.*ask for 1 layers"):
        check_budget(TokensEntry(layers=2, gigabytes=needed * 0.999), *inputs)
    with pytest.raises(ValueError, match="ask for fewer examples"):
        check_budget(TokensEntry(layers=2, gigabytes=needed * 0.4), *inputs)
