"""LoRA targets of every family: published, inferred, and those that cannot be trained."""

from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from finetune.adapters.lora import check_targets
from finetune.architectures.lora_targets import default_targets, untrainable_modules

TARGETS = {
    "gpt_neox": {"query_key_value", "dense_h_to_4h", "dense_4h_to_h"},
    "llama": {"gate_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj"},
    "mamba": {"in_proj"},
    "mamba2": {"in_proj"},
}


def test_targets_of_known_families(model, family):
    assert set(default_targets(model)) == TARGETS[family]


def test_peft_takes_the_targets_and_each_of_them_learns(model):
    wrapped = get_peft_model(model, LoraConfig(target_modules=default_targets(model)))
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.1)
    tokens = torch.arange(12).view(2, 6)
    before = {name: p.detach().clone() for name, p in wrapped.named_parameters()}
    for _ in range(2):
        optimizer.zero_grad()
        wrapped(input_ids=tokens, labels=tokens, use_cache=False).loss.backward()
        optimizer.step()
    moved = {name for name, p in wrapped.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in before if "lora_" in name}


def test_targets_of_other_families_are_the_linear_layers_of_their_blocks(tiny_model):
    assert default_targets(tiny_model("gpt2")) == ["c_attn", "c_fc", "c_proj"]

    unknown = tiny_model("mamba")
    unknown.config.model_type = "unknown"
    assert default_targets(unknown) == ["in_proj"]


def test_blocks_without_linear_layers_are_refused():
    model = nn.Module()
    model.config = SimpleNamespace(num_hidden_layers=2, model_type="unknown")
    model.blocks = nn.ModuleList([nn.Identity(), nn.Identity()])
    with pytest.raises(ValueError, match="no linear layer"):
        default_targets(model)


def test_mambas_bypassed_modules_are_no_targets(tiny_model):
    assert untrainable_modules(tiny_model("mamba")) == {"conv1d", "dt_proj", "out_proj", "x_proj"}
    assert untrainable_modules(tiny_model("bamba")) == {"conv1d", "out_proj"}
    assert not untrainable_modules(tiny_model("lfm2"))
    with pytest.raises(ValueError, match="'x_proj' of MambaForCausalLM cannot be trained"):
        check_targets(tiny_model("mamba"), ["x_proj"])
