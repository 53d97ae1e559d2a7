"""Blocks are found in every family, and models that have no usable list are refused."""

from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, RwkvConfig

from finetune.architectures.blocks import block_list, exact_config, unwrap
from finetune.architectures.lora_targets import default_targets


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
    wrapped = get_peft_model(model, LoraConfig(target_modules=default_targets(model)))
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


def test_an_exact_config_has_neither_caches_nor_rescaling():
    config = exact_config(RwkvConfig(rescale_every=6))
    assert config.use_cache is False
    assert config.rescale_every == 0
