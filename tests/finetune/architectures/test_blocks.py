from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, RwkvConfig

from finetune.adapters.lora import check_targets
from finetune.architectures.blocks import block_list, exact_config, unwrap
from finetune.architectures.kernels import code_path
from finetune.architectures.lora_targets import lora_targets, untrainable_modules
from finetune.architectures.scan import use_cpu_scan

TARGETS = {
    "gpt_neox": {"query_key_value", "dense_h_to_4h", "dense_4h_to_h"},
    "llama": {"gate_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj"},
    "mamba": {"in_proj"},
    "mamba2": {"in_proj"},
}


class Fake(nn.Module):
    def __init__(self, depth, **lists):
        super().__init__()
        self.config = SimpleNamespace(num_hidden_layers=depth, model_type="fake")
        for name, length in lists.items():
            setattr(self, name, nn.ModuleList(nn.Linear(2, 2) for _ in range(length)))


def test_blocks_are_those_of_the_decoder(model, family):
    blocks = block_list(model)
    assert len(blocks) == model.config.num_hidden_layers
    assert blocks is (model.model if family == "llama" else model.base_model).layers


def test_blocks_are_found_under_an_adapter_and_on_the_meta_device(model):
    blocks = block_list(model)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(model.config)
    assert len(block_list(skeleton)) == len(blocks)
    wrapped = get_peft_model(model, LoraConfig(target_modules=lora_targets(model)))
    assert block_list(wrapped) is blocks
    assert unwrap(wrapped) is model


def test_a_list_inside_a_block_is_not_taken_for_the_blocks():
    model = Fake(2, blocks=2)
    model.blocks[0] = nn.Module()
    model.blocks[0].experts = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    assert block_list(model) is model.blocks


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Fake(3, blocks=2), "Fake has no list of blocks of length num_hidden_layers=3"),
        (Fake(3, encoder=3, decoder=3), "several lists of length num_hidden_layers=3 .*decoder"),
        (nn.Linear(2, 2), "Linear has no list of blocks: its config has no num_hidden_layers"),
    ],
)
def test_a_model_without_a_usable_list_is_refused_in_one_line(model, reason):
    with pytest.raises(ValueError, match=reason) as error:
        block_list(model)
    assert "\n" not in str(error.value)


def test_targets_of_known_families(model, family):
    assert set(lora_targets(model)) == TARGETS[family]


def test_peft_takes_the_targets_and_each_of_them_learns(model):
    wrapped = get_peft_model(model, LoraConfig(target_modules=lora_targets(model)))
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
    assert lora_targets(tiny_model("gpt2")) == ["c_attn", "c_fc", "c_proj"]

    unknown = tiny_model("mamba")
    unknown.config.model_type = "unknown"
    assert lora_targets(unknown) == ["in_proj"]


def test_blocks_without_linear_layers_are_refused():
    model = Fake(2, blocks=2)
    for i in range(2):
        model.blocks[i] = nn.Identity()
    with pytest.raises(ValueError, match="no linear layer"):
        lora_targets(model)


def test_an_exact_config_has_neither_caches_nor_rescaling():
    config = exact_config(RwkvConfig(rescale_every=6))
    assert config.use_cache is False
    assert config.rescale_every == 0


@pytest.mark.parametrize(
    ("family", "dtype", "scanned", "path"),
    [
        ("gpt_neox", torch.float32, False, "transformers (cpu)"),
        ("mamba", torch.float32, True, "finetune.architectures.scan (cpu)"),
        ("mamba", torch.bfloat16, True, "transformers (cpu)"),
        ("mamba", torch.float32, False, "transformers (cpu)"),
        ("mamba2", torch.float32, True, "transformers (cpu)"),
    ],
)
def test_the_code_that_runs_the_model_is_named(tiny_model, family, dtype, scanned, path):
    model = tiny_model(family).to(dtype)
    assert code_path(use_cpu_scan(model) if scanned else model) == path


def test_mambas_bypassed_modules_are_no_targets(tiny_model):
    assert untrainable_modules(tiny_model("mamba")) == {"conv1d", "dt_proj", "out_proj", "x_proj"}
    assert untrainable_modules(tiny_model("bamba")) == {"conv1d", "out_proj"}
    assert not untrainable_modules(tiny_model("lfm2"))
    with pytest.raises(ValueError, match="'x_proj' of MambaForCausalLM cannot be trained"):
        check_targets(tiny_model("mamba"), ["x_proj"])
