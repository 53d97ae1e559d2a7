import inspect

import pytest
import torch
from torch.nn.functional import softplus
from transformers import AutoModelForCausalLM, DynamicCache

from finetune.architectures.blocks import block_list
from finetune.architectures.scan import use_cpu_scan
from finetune.reading.recurrent import (
    STATE_SITES,
    Projection,
    cached_states,
    read_recurrent_states,
    recurrent_states,
    state_layers,
)
from finetune.verification.tiny_families import TINY_FAMILIES, tiny_model
from finetune.verification.verify import random_tokens

# The step of these two leaves out the bound on the step size that their scan has.
STEPWISE = {name: {"time_step_min": 1e-9} for name in ("zamba2", "nemotron_h")}
RECURRENT = list(TINY_FAMILIES)[list(TINY_FAMILIES).index("mamba") :]
PROMPTS = ["Alice says that 2 + 2 = 4. True or false?", "3 + 5 = 9?", "2 + 2 = 5?"]


def close(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def token_by_token(model, tokens):
    """The states after one prompt, by the model's own path for one new token at a time."""
    takes = inspect.signature(model.forward).parameters
    past = {}
    if model.config.model_type == "recurrent_gemma":  # its states are in its modules
        past = {"past_key_values": DynamicCache(config=model.config)}
    for position, token in enumerate(tokens):
        place = {"position_ids": torch.tensor([[position]])} if "position_ids" in takes else {}
        with torch.inference_mode():
            output = model(input_ids=token[None, None], use_cache=True, **past, **place)
        kept = [name for name in ("state", "cache_params", "past_key_values") if output.get(name)]
        past = {name: output[name] for name in kept} or past
    return cached_states(model, output)


@pytest.mark.parametrize("name", RECURRENT)
def test_states_equal_those_of_one_token_after_the_other(name):
    settings = STEPWISE.get(name, {})
    tokens = random_tokens(tiny_model(name), prompts=1, length=11)
    whole = recurrent_states(tiny_model(name, **settings), tokens)
    stepped = token_by_token(tiny_model(name, **settings), tokens[0])
    assert any(whole.values())
    for site in STATE_SITES:
        assert list(stepped.get(site, {})) == list(whole[site])
        for layer, states in whole[site].items():
            close(states, stepped[site][layer])


def test_mambas_states_follow_the_equations_of_the_paper():
    """Algorithm 2 of arXiv 2312.00752, a step at a time, on what each mixer is given."""
    model = tiny_model("mamba")
    tokens = random_tokens(model, prompts=2, length=7)
    held = recurrent_states(model, tokens)
    given = []
    for block in block_list(model):
        block.mixer.register_forward_pre_hook(lambda _m, args: given.append(args[0]))
    with torch.no_grad():
        model(input_ids=tokens, use_cache=False)
    for number, (block, inputs) in enumerate(zip(block_list(model), given, strict=True), start=1):
        ssm, conv = mamba_by_hand(block.mixer, inputs)
        close(held["ssm_state"][number], ssm.flatten(1))
        close(held["conv_state"][number], conv.flatten(1))


@torch.no_grad()
def mamba_by_hand(mixer, inputs):
    taps = mixer.conv1d.weight[:, 0]
    window = torch.zeros(len(inputs), *taps.shape)
    state = torch.zeros(len(inputs), *mixer.A_log.shape)
    for now in inputs.unbind(1):
        x = mixer.in_proj(now).chunk(2, dim=-1)[0]
        window = torch.cat([window[..., 1:], x[..., None]], dim=-1)
        u = mixer.act((window * taps).sum(-1) + mixer.conv1d.bias)
        rank, size = mixer.time_step_rank, mixer.ssm_state_size
        dt, b, _ = mixer.x_proj(u).split([rank, size, size], dim=-1)
        dt = softplus(dt @ mixer.dt_proj.weight.T + mixer.dt_proj.bias)
        decay = torch.exp(-dt[..., None] * mixer.A_log.exp())
        state = decay * state + (dt * u)[..., None] * b[:, None]
    return state, window


def test_the_cpu_scan_changes_no_state():
    tokens = random_tokens(tiny_model("mamba"), length=7)
    plain, scanned = tiny_model("mamba"), use_cpu_scan(tiny_model("mamba"))
    for site in STATE_SITES:
        for layer, states in recurrent_states(plain, tokens)[site].items():
            close(recurrent_states(scanned, tokens)[site][layer], states)


@pytest.mark.parametrize("name", TINY_FAMILIES)
def test_a_model_without_weights_tells_which_blocks_have_a_state(name):
    model = tiny_model(name)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(model.config)
    held = recurrent_states(model, random_tokens(model, prompts=2, length=5))
    assert state_layers(skeleton) == {site: tuple(held[site]) for site in STATE_SITES}


def test_prompts_are_read_in_their_order_and_projected(tokenizer):
    model, projection = tiny_model("mamba"), Projection(size=40)
    readings = list(read_recurrent_states(model, tokenizer, PROMPTS, STATE_SITES, projection))
    index = torch.cat([reading.index for reading in readings])
    assert sorted(index.tolist()) == [0, 1, 2]
    for site in STATE_SITES:
        states = torch.cat([reading.states[site] for reading in readings], dim=1)
        assert states.shape == (3, 3, 40)
        assert states.dtype == torch.float32
        for place, i in enumerate(index.tolist()):
            ids = torch.tensor([tokenizer(PROMPTS[i])["input_ids"]])
            alone = [projection(s)[0] for s in recurrent_states(model, ids)[site].values()]
            close(states[:, place], torch.stack(alone))


def test_a_projection_keeps_distances_and_narrow_states_as_they_are():
    states = torch.randn(40, 3000, generator=torch.Generator().manual_seed(0))
    projected = Projection(size=600)(states)
    ratio = torch.pdist(projected) / torch.pdist(states)
    assert ratio.min() > 0.85
    assert ratio.max() < 1.15
    assert torch.equal(projected, Projection(size=600)(states))
    assert not torch.equal(projected, Projection(size=600, seed=1)(states))
    assert torch.equal(Projection(size=3000)(states), states)


@pytest.mark.parametrize(
    ("family", "sites", "reason"),
    [
        ("gpt_neox", ("ssm_state",), "GPTNeoXForCausalLM has no ssm_state"),
        ("lfm2", ("ssm_state",), "Lfm2ForCausalLM has no ssm_state"),
        ("mamba", ("cell",), "unknown site 'cell'; known: ssm_state, conv_state"),
    ],
)
def test_a_site_that_is_not_there_is_refused(family, sites, reason, tokenizer):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        list(read_recurrent_states(tiny_model(family), tokenizer, PROMPTS, sites, Projection()))


def test_a_model_in_training_mode_is_refused(tokenizer):
    model = tiny_model("mamba").train()
    with pytest.raises(ValueError, match="training mode"):
        read_recurrent_states(model, tokenizer, PROMPTS, STATE_SITES, Projection())
