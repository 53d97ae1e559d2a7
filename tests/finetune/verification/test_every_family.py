"""What "layer l", "the last token", "the contrast pair" and "LoRA" mean, in every family."""

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

NAMED = {
    *("gpt_neox", "gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"),
    *("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "jamba", "zamba", "zamba2"),
    *("bamba", "falcon_h1", "lfm2", "qwen3_next", "olmo_hybrid", "granitemoehybrid"),
    *("nemotron_h", "minimax", "xlstm"),
}
MIXED = {
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
def built(name):
    """A model that no test changes."""
    return tiny_model(name)


def states_of(model):
    """Of four prompts of one length: layers, prompts, width."""
    return logits_and_states(model, random_tokens(model, length=9).tolist(), [-1])[1][:, :, 0]


def own_parameters(model, number):
    """Those of a block that no earlier block shares."""
    blocks = block_list(model)
    earlier = {id(p) for block in blocks[: number - 1] for p in block.parameters()}
    return [p for p in blocks[number - 1].parameters() if id(p) not in earlier]


def test_no_family_is_left_out():
    assert set(TINY_FAMILIES) == NAMED


@every_family
def test_a_tiny_model_is_past_any_periodic_rule(name):
    blocks = block_list(built(name))
    assert len(blocks) == built(name).config.num_hidden_layers >= (8 if name == "rwkv" else 3)


@pytest.mark.parametrize("name", MIXED)
def test_a_hybrid_has_every_kind_of_block(name):
    config = built(name).config
    kinds = getattr(config, "layer_types", None) or config.layers_block_type
    assert set(kinds) == MIXED[name]


@every_family
def test_every_way_to_read_a_state_gives_the_same(name):
    assert residual_error(built(name)) < TOLERANCE
    assert max(recurrent_state_errors(built(name)).values()) < TOLERANCE


@every_family
def test_layer_l_is_the_output_of_block_l(name):
    model = copy.deepcopy(built(name))
    before = states_of(model)
    for number in range(1, len(block_list(model)) + 1):
        changed = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in own_parameters(changed, number):
                parameter.add_(0.1 * torch.randn_like(parameter))
        after = states_of(changed)
        assert torch.equal(after[: number - 1], before[: number - 1])
        assert (after[number - 1] - before[number - 1]).abs().max() > 1e-4


@every_family
def test_the_last_token_knows_the_first(name):
    """Else a state that forgot its past would pass for exact. Sliding windows let it through."""
    tokens = random_tokens(built(name), length=6)
    other = tokens.clone()
    other[:, 0] = 1 + (other[:, 0] % 200)
    before, after = (
        logits_and_states(built(name), t.tolist(), [-1])[1][-1] for t in (tokens, other)
    )
    assert ((before - after).abs().amax(dim=(-1, -2)) > 1e-6).all()


@every_family
def test_a_saved_model_holds_the_same_states(name, tmp_path):
    built(name).save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(states_of(loaded), states_of(built(name)))


def trained(name, steps=2):
    """Two steps of fine-tuning under the audit."""
    torch.manual_seed(0)
    model = add_lora(copy.deepcopy(built(name)), 2, 4).train()
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
def test_every_lora_tensor_learns_and_is_found_again(name, tmp_path):
    model = trained(name)
    moved = relative_changes(model)
    assert moved
    assert all(0 < part < 1 for part in moved.values())
    assert not torch.equal(states_of(model), states_of(built(name)))
    model.save_pretrained(str(tmp_path))
    again = PeftModel.from_pretrained(copy.deepcopy(built(name)), tmp_path).eval()
    assert torch.equal(states_of(again), states_of(model))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_family
def test_a_gpu_reads_what_a_cpu_reads(name):
    on_gpu = copy.deepcopy(built(name)).to("cuda")
    assert code_path(on_gpu).startswith("transformers (cuda)")
    torch.testing.assert_close(states_of(on_gpu), states_of(built(name)), atol=1e-4, rtol=1e-4)
