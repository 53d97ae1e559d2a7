"""Layers, last tokens, contrast pairs and LoRA work in the same way in every family."""

import copy
from functools import cache

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from finetune.adapters.audit import DeadModuleAudit, relative_changes
from finetune.adapters.lora import add_lora
from finetune.architectures.blocks import block_list
from finetune.architectures.kernels import code_path
from finetune.reading.forward import logits_and_states
from finetune.verification.tiny_families import TINY_FAMILIES, tiny_model
from finetune.verification.verify import (
    TOLERANCE,
    random_tokens,
    recurrent_state_errors,
    residual_error,
)

FAMILIES = {
    *("gpt_neox", "gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"),
    *("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "jamba", "zamba", "zamba2"),
    *("bamba", "falcon_h1", "lfm2", "qwen3_next", "olmo_hybrid", "granitemoehybrid"),
    *("nemotron_h", "minimax", "xlstm"),
}
BLOCK_KINDS = {
    **{name: {"linear_attention", "hybrid"} for name in ("zamba", "zamba2")},
    **{name: {"sliding_attention", "full_attention"} for name in ("gemma2", "gemma3_text")},
    **{
        name: {"linear_attention", "full_attention"}
        for name in ("jamba", "bamba", "granitemoehybrid", "qwen3_next", "olmo_hybrid", "minimax")
    },
    "recurrent_gemma": {"linear_attention", "sliding_attention"},
    "lfm2": {"conv", "full_attention"},
    "nemotron_h": {"linear_attention", "full_attention", "moe", "mlp"},
}
every_family = pytest.mark.parametrize("name", TINY_FAMILIES)


@cache
def shared_model(name):
    """A model that no test changes."""
    return tiny_model(name)


def last_states(model):
    """States (layers, n, d) at the last token of four prompts of one length."""
    return logits_and_states(model, random_tokens(model, length=9).tolist(), [-1])[1][:, :, 0]


def own_parameters(model, number):
    """The parameters of a block that no earlier block shares."""
    blocks = block_list(model)
    earlier = {id(p) for block in blocks[: number - 1] for p in block.parameters()}
    return [p for p in blocks[number - 1].parameters() if id(p) not in earlier]


def test_every_family_is_covered():
    assert set(TINY_FAMILIES) == FAMILIES


@every_family
def test_a_tiny_model_has_enough_blocks(name):
    blocks = block_list(shared_model(name))
    assert (
        len(blocks) == shared_model(name).config.num_hidden_layers >= (8 if name == "rwkv" else 3)
    )


@pytest.mark.parametrize("name", BLOCK_KINDS)
def test_a_hybrid_has_every_kind_of_block(name):
    config = shared_model(name).config
    kinds = getattr(config, "layer_types", None) or config.layers_block_type
    assert set(kinds) == BLOCK_KINDS[name]


@every_family
def test_every_way_to_read_a_state_gives_the_same_values(name):
    assert residual_error(shared_model(name)) < TOLERANCE
    assert max(recurrent_state_errors(shared_model(name)).values()) < TOLERANCE


@every_family
def test_layer_l_is_the_output_of_block_l(name):
    model = copy.deepcopy(shared_model(name))
    before = last_states(model)
    for number in range(1, len(block_list(model)) + 1):
        changed = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in own_parameters(changed, number):
                parameter.add_(0.1 * torch.randn_like(parameter))
        after = last_states(changed)
        assert torch.equal(after[: number - 1], before[: number - 1])
        assert (after[number - 1] - before[number - 1]).abs().max() > 1e-4


@every_family
def test_the_last_state_depends_on_the_first_token(name):
    """A state that ignored the past would pass every other test."""
    tokens = random_tokens(shared_model(name), length=6)
    other = tokens.clone()
    other[:, 0] = 1 + (other[:, 0] % 200)
    before, after = (
        logits_and_states(shared_model(name), t.tolist(), [-1])[1][-1] for t in (tokens, other)
    )
    assert ((before - after).abs().amax(dim=(-1, -2)) > 1e-6).all()


@every_family
def test_a_saved_model_gives_the_same_states(name, tmp_path):
    shared_model(name).save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(last_states(loaded), last_states(shared_model(name)))


def fine_tuned(name, steps=2):
    """Two steps of fine-tuning under the audit."""
    torch.manual_seed(0)
    model = add_lora(copy.deepcopy(shared_model(name)), 2, 4).train()
    audit = DeadModuleAudit(model)
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    tokens = random_tokens(model.get_base_model(), length=9)
    for _ in range(steps):
        optimiser.zero_grad()
        logits = model(input_ids=tokens, use_cache=False).logits[:, -1]
        torch.nn.functional.cross_entropy(logits, tokens[:, 0]).backward()
        audit.step(0.1)
        optimiser.step()
    return model.eval()


@every_family
def test_every_lora_tensor_is_trained_and_saved(name, tmp_path):
    model = fine_tuned(name)
    moved = relative_changes(model)
    assert moved
    assert all(0 < part < 1 for part in moved.values())
    assert not torch.equal(last_states(model), last_states(shared_model(name)))
    model.save_pretrained(str(tmp_path))
    again = PeftModel.from_pretrained(copy.deepcopy(shared_model(name)), tmp_path).eval()
    assert torch.equal(last_states(again), last_states(model))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_family
def test_a_gpu_gives_the_states_of_a_cpu(name):
    on_gpu = copy.deepcopy(shared_model(name)).to("cuda")
    assert code_path(on_gpu).startswith("transformers (cuda)")
    torch.testing.assert_close(
        last_states(on_gpu), last_states(shared_model(name)), atol=1e-4, rtol=1e-4
    )
