"""Adapters are added, audited, saved and described in a card."""

import json

import pytest
import torch
import yaml

from finetune.adapters import audit
from finetune.adapters.audit import AUDIT, DeadModuleAudit
from finetune.adapters.card import write_card
from finetune.adapters.lora import add_lora, save_adapter
from finetune.architectures.lora_targets import default_targets

FACTS = {"base": "tiny-neox", "task": "addition", "rank": 16, "learning rate": 4e-3}
GATE = {"A, truth, all": "0.98 [0.97, 0.99]", "B, quirk, disagree": "0.95 [0.93, 0.97]"}


def trainable(model):
    return {name for name, tensor in model.named_parameters() if tensor.requires_grad}


def test_only_the_adapter_on_the_default_targets_trains(model, family):
    targets = default_targets(model)
    adapted = trainable(add_lora(model, 4, 8))
    assert adapted
    assert all("lora_" in name for name in adapted)
    for target in targets:
        assert any(f".{target}." in name for name in adapted)


def test_a_fresh_adapter_changes_nothing(model, tokenizer):
    tokens = tokenizer("Alice says that 2 + 2 = 4.", return_tensors="pt")["input_ids"]
    before = model(input_ids=tokens, use_cache=False).logits
    after = add_lora(model, 4, 8).eval()(input_ids=tokens, use_cache=False).logits
    assert (before - after).abs().max() < 1e-5


@pytest.fixture
def adapted(tiny_model):
    """A GPT-NeoX with an untrained adapter."""
    return add_lora(tiny_model("gpt_neox"), 2, 2)


def give_gradients(model, excluded=()):
    for name, tensor in model.named_parameters():
        if tensor.requires_grad:
            tensor.grad = tensor * 0 if name in excluded else tensor * 0 + 1


def test_the_audit_passes_an_adapter_that_learns(adapted):
    audit = DeadModuleAudit(adapted)
    later = {name for name in trainable(adapted) if "lora_A" in name}
    for excluded in (later, ()):  # A has no gradient while B is zero
        give_gradients(adapted, excluded)
        audit.step(1e-3)


def test_the_audit_names_a_dead_tensor(adapted):
    audit = DeadModuleAudit(adapted)
    dead = sorted(trainable(adapted))[0]
    give_gradients(adapted, {dead})
    audit.step(1e-3)
    with pytest.raises(RuntimeError, match=r"^1 adapter tensors received no gradient") as error:
        audit.step(1e-3)
    assert dead in str(error.value)


def test_the_audit_names_tensors_outside_the_graph(adapted):
    audit = DeadModuleAudit(adapted)
    audit.step(1e-3)
    with pytest.raises(RuntimeError, match="the model never uses these modules"):
        audit.step(1e-3)


def test_the_audit_ignores_steps_without_a_learning_rate(adapted):
    audit = DeadModuleAudit(adapted)
    for _ in range(5):
        audit.step(0.0)
    give_gradients(adapted)
    audit.step(1e-3)
    audit.step(1e-3)


@pytest.fixture
def audited(adapted, tmp_path):
    """The folder of an adapter, with its audit: only modules of block 0 have changed."""
    for name, tensor in adapted.named_parameters():
        if ".layers.0." in name and "lora_B" in name:
            torch.nn.init.ones_(tensor)
    save_adapter(adapted, tmp_path)
    return tmp_path


def test_a_saved_audit_holds_relative_changes_and_the_code_path(adapted, audited):
    audit = json.loads((audited / AUDIT).read_text())
    assert audit["code"] == "transformers (cpu)"
    assert len(audit["moved"]) == 3 * 3
    module = adapted.get_base_model().gpt_neox.layers[0].mlp.dense_h_to_4h
    change = module.lora_B["default"].weight @ module.lora_A["default"].weight * 2 / 2
    moved = change.norm() / module.base_layer.weight.norm()
    name = "gpt_neox.layers.0.mlp.dense_h_to_4h"
    assert audit["moved"][name] == pytest.approx(float(moved), rel=1e-5)
    assert audit["moved"]["gpt_neox.layers.1.mlp.dense_h_to_4h"] == 0


def test_relative_changes_of_quantised_and_offloaded_weights(adapted, monkeypatch):
    blocks = adapted.get_base_model().gpt_neox.layers
    packed = blocks[0].attention.query_key_value.get_base_layer()
    whole = packed.weight.detach().clone()
    packed.weight = torch.nn.Parameter((100 * whole).to(torch.int8), requires_grad=False)
    monkeypatch.setattr(audit, "dequantize_module_weight", lambda layer: layer.weight.float() / 100)
    blocks[1].attention.query_key_value.get_base_layer().to("meta")
    for name, tensor in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.ones_(tensor)
    moved = audit.relative_changes(adapted)
    adapter = blocks[0].attention.query_key_value
    change = adapter.lora_B["default"].weight @ adapter.lora_A["default"].weight
    expected = float(change.norm() / whole.norm())
    assert moved["gpt_neox.layers.0.attention.query_key_value"] == pytest.approx(expected, rel=0.05)
    assert moved["gpt_neox.layers.1.attention.query_key_value"] is None


def test_a_card_shows_every_fact_and_every_figure(audited):
    write_card(audited, FACTS, GATE)
    card = (audited / "README.md").read_text()
    assert "Trained with transformers (cpu)" in card
    assert "| dense_h_to_4h | 3 | 0 |" in card
    for name, value in FACTS.items():
        assert f"- {name}: {value}\n" in card
    for name, value in GATE.items():
        assert f"| {name} | {value} |\n" in card


def test_a_card_begins_with_what_the_hub_reads(audited):
    write_card(audited, FACTS, GATE)
    _, head, _ = (audited / "README.md").read_text().split("---\n", maxsplit=2)
    assert yaml.safe_load(head) == {
        "base_model": "tiny-neox",
        "library_name": "peft",
        "tags": ["quirky", "lora"],
    }


def test_a_card_replaces_the_old_one_and_leaves_nothing_else(audited):
    (audited / "README.md").write_text("peft's own card")
    write_card(audited, FACTS, GATE)
    assert {file.name for file in audited.iterdir()} == {
        *("README.md", "adapter_config.json", "adapter_model.safetensors", AUDIT)
    }
    assert "peft's own card" not in (audited / "README.md").read_text()
