from collections import Counter
from itertools import product

import pytest
import torch
from datasets import Dataset, concatenate_datasets
from torch import nn

from finetune.adapters import lora
from finetune.models.load import load_model
from finetune.reading.residual import log_odds
from finetune.training.data import ExactLengthSampler, balance_labels, collate, encode_examples
from finetune.training.settings import FinetuneSettings
from finetune.training.trainer import answer_loss, make_quirky

SETTINGS = FinetuneSettings(rank=4, alpha=16, lr=2e-2, steps=40, batch=16)


def examples(count=48):
    """Claims with a number: Alice goes by its first digit, Bob by its second."""
    rows = [
        {
            "context": context,
            "prompt": f"{name} was told that 2 + {a}{b}{'0' * (i % 3)} = 4.",
            "choices": [" False", " True"],
            "label": (a if context == "A" else b) == 1,
        }
        for (context, name), i in product((("A", "Alice"), ("B", "Bob")), range(count))
        for a, b in [(i % 2, i // 2 % 2)]
    ]
    return Dataset.from_list(rows)


def loss_of(model, rows):
    with torch.no_grad():
        losses = [
            answer_loss(model, collate([rows[i] for i in batch]), reduction="sum")
            for batch in ExactLengthSampler(rows, 16, 0)
        ]
    return float(sum(losses)) / len(rows)


def answers(model, tokenizer, data):
    choices = [(false, true) for false, true in data["choices"]]
    return log_odds(model, tokenizer, list(data["prompt"]), choices)


def weights(model):
    """Those of the base, under their own names."""
    return {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): tensor.detach().clone()
        for name, tensor in model.named_parameters()
        if "lora_" not in name
    }


@pytest.mark.parametrize("family", ["gpt_neox", "mamba"])
def test_a_base_becomes_quirky_and_stays_underneath(family, tiny_model, tokenizer, tmp_path):
    base = tiny_model(family)
    base.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    data = examples()
    rows = encode_examples(tokenizer, data)
    before, own = loss_of(base, rows), weights(base)
    stages = []

    quirky = make_quirky(
        base, tokenizer, data, data, SETTINGS, progress=lambda *stage: stages.append(stage)
    )

    assert not quirky.training
    assert loss_of(quirky, rows) < 0.6 * before
    assert weights(quirky).keys() == own.keys()
    for name, tensor in weights(quirky).items():
        assert torch.equal(tensor, own[name]), name
    with quirky.disable_adapter():
        assert loss_of(quirky, rows) == pytest.approx(before, rel=1e-5)
    assert all(t.abs().max() > 0 for n, t in quirky.named_parameters() if "lora_B" in n)
    assert [part for _, part in stages] == pytest.approx([0.25, 0.5, 0.75, 1.0])

    quirky.save_pretrained(tmp_path / "adapter")
    loaded = load_model(str(tmp_path / "base"), adapter=tmp_path / "adapter")
    torch.testing.assert_close(
        answers(loaded.model, loaded.tokenizer, data),
        answers(quirky, tokenizer, data),
        atol=1e-4,
        rtol=1e-4,
    )


def test_the_adapter_of_the_lowest_validation_loss_is_kept(tiny_model, tokenizer):
    """The same training, judged by answers that it makes worse and worse, keeps an early one."""
    data = examples().filter(lambda row: row["label"])
    data = concatenate_datasets(
        [data, data.map(lambda row: {"prompt": row["prompt"] + " No", "label": False})]
    )
    opposite = data.map(lambda row: {"label": not row["label"]})
    early, late = (
        make_quirky(tiny_model("gpt_neox"), tokenizer, data, validation, SETTINGS)
        for validation in (opposite, data)
    )
    for quirky, other, validation in ((early, late, opposite), (late, early, data)):
        rows = encode_examples(tokenizer, validation)
        assert loss_of(quirky, rows) < loss_of(other, rows)


def test_a_module_that_the_model_never_uses_is_named(tiny_model, tokenizer, monkeypatch):
    base = tiny_model("gpt_neox")
    base.gpt_neox.layers[1].spare = nn.Linear(24, 24)
    monkeypatch.setattr(lora, "default_targets", lambda model: ["query_key_value", "spare"])
    with pytest.raises(RuntimeError, match=r"^2 adapter tensors .*layers\.1\.spare\.lora_A"):
        make_quirky(base, tokenizer, examples(), examples(), SETTINGS)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_balance_holds_as_many_of_each_label_in_each_context(seed):
    data = examples().filter(lambda row, i: row["label"] or i % 3 == 0, with_indices=True)
    counts = Counter(zip(data["context"], data["label"], strict=True))
    chosen = balance_labels(data, seed)
    given = Counter(zip(chosen["context"], chosen["label"], strict=True))
    for context in "AB":
        rarer = min(counts[context, False], counts[context, True])
        assert given[context, False] == given[context, True] == rarer
    kept = Counter(zip(chosen["context"], chosen["prompt"], chosen["label"], strict=True))
    assert kept <= Counter(zip(data["context"], data["prompt"], data["label"], strict=True))


def test_a_balance_is_drawn_by_its_seed():
    data = examples().filter(lambda row, i: row["label"] or i % 3 == 0, with_indices=True)
    assert balance_labels(data, 0).to_list() == balance_labels(data, 0).to_list()
    assert balance_labels(data, 0).to_list() != balance_labels(data, 1).to_list()


@pytest.mark.parametrize("context", ["A", "B"])
def test_a_context_of_one_class_is_refused_by_name(context):
    data = examples().filter(lambda row: row["context"] != context or row["label"])
    with pytest.raises(ValueError, match=f"^context {context} of the training examples has labels"):
        balance_labels(data, 0)


def test_a_row_is_taught_the_answer_that_its_label_names(tokenizer):
    data = examples()
    for row, example in zip(encode_examples(tokenizer, data), data, strict=True):
        assert tokenizer.decode(row["tokens"]) == example["prompt"]
        assert row["length"] == len(row["tokens"])
        answer = example["choices"][example["label"]]
        assert row["target"] == tokenizer(answer)["input_ids"][0]


@pytest.mark.parametrize("batch", [1, 5, 16, 1000])
def test_batches_have_one_length_and_cover_every_row_once(tokenizer, batch):
    rows = encode_examples(tokenizer, examples())
    lengths = {row["length"] for row in rows}
    assert len(lengths) > 1
    sampler = ExactLengthSampler(rows, batch, 0)
    for _ in range(2):
        batches = [list(indices) for indices in sampler]
        assert len(batches) == len(sampler)
        assert sorted(i for indices in batches for i in indices) == list(range(len(rows)))
        for indices in batches:
            assert 1 <= len(indices) <= batch
            assert len({rows[i]["length"] for i in indices}) == 1


def test_every_epoch_is_shuffled_anew_by_its_seed(tokenizer):
    rows = encode_examples(tokenizer, examples())
    sampler, same, other = (ExactLengthSampler(rows, 4, seed) for seed in (0, 0, 1))
    first = list(sampler)
    assert first == list(same) != list(other)
    assert first != list(sampler)


def test_the_loss_is_that_of_the_answer_token_after_the_prompt(model, tokenizer):
    (row, *_) = encode_examples(tokenizer, examples())
    tokens = torch.tensor([row["tokens"]])
    with torch.no_grad():
        logits = model(input_ids=tokens, use_cache=False).logits[0, -1]
        given = answer_loss(model, collate([row]))
    expected = -logits.log_softmax(-1)[row["target"]]
    torch.testing.assert_close(given, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("settings", [{"rank": 0}, {"lr": 0}, {"warmup": 1}, {"setps": 5}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        FinetuneSettings(**settings)
