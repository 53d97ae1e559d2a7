import copy
import pickle

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.nn.functional import conv1d, pad, softplus
from transformers import MambaConfig, MambaForCausalLM

from finetune.architectures.scan import CausalConv, CpuScanMixer, selective_scan, use_cpu_scan

BATCH, TIME, CHANNELS, STATE = 3, 5, 4, 2


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=[1, 1 << 17], ids=["row by row", "whole batch"])
def _slice_elements(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.architectures.scan._SLICE_ELEMENTS", request.param)


def scan_inputs(time: int = TIME) -> tuple[Tensor, ...]:
    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64)

    inputs = (
        normal(BATCH, time, CHANNELS),
        softplus(normal(BATCH, time, CHANNELS)),
        -torch.exp(normal(CHANNELS, STATE)),
        normal(BATCH, time, STATE),
        normal(BATCH, time, STATE),
        normal(CHANNELS),
    )
    return tuple(x.requires_grad_() for x in inputs)


def step_by_step(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    y = torch.empty_like(u)
    for b in range(u.shape[0]):
        for c in range(u.shape[2]):
            h = torch.zeros_like(A[c])
            for t in range(u.shape[1]):
                h = torch.exp(dt[b, t, c] * A[c]) * h + dt[b, t, c] * B[b, t] * u[b, t, c]
                y[b, t, c] = C[b, t] @ h + D[c] * u[b, t, c]
    return y


@pytest.mark.usefixtures("_slice_elements")
@pytest.mark.parametrize("time", [1, TIME])
def test_scan_equals_the_recurrence_step_by_step(time: int) -> None:
    inputs = scan_inputs(time)
    with torch.no_grad():
        expected = step_by_step(*inputs)
        torch.testing.assert_close(selective_scan(*inputs), expected)
    torch.testing.assert_close(selective_scan(*inputs), expected)


@pytest.mark.usefixtures("_slice_elements")
@pytest.mark.parametrize("time", [1, TIME])
def test_gradients_of_the_scan_are_exact(time: int) -> None:
    assert torch.autograd.gradcheck(selective_scan, scan_inputs(time))


@pytest.mark.parametrize("wanted", range(6))
def test_a_gradient_is_the_same_when_no_other_is_wanted(wanted: int) -> None:
    inputs = scan_inputs()
    expected = torch.autograd.grad(selective_scan(*inputs).square().sum(), inputs)[wanted]
    alone = [x.detach().requires_grad_(i == wanted) for i, x in enumerate(inputs)]
    (actual,) = torch.autograd.grad(selective_scan(*alone).square().sum(), [alone[wanted]])
    torch.testing.assert_close(actual, expected)


def test_scan_is_causal() -> None:
    u, *others = scan_inputs()
    later = u.detach().clone()
    later[:, 3:] += 1
    before, after = selective_scan(u, *others), selective_scan(later, *others)
    torch.testing.assert_close(before[:, :3], after[:, :3], rtol=0, atol=0)
    assert not torch.allclose(before[:, 3:], after[:, 3:])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("time", [1, 2, 7])
def test_convolution_equals_a_depthwise_conv1d(time: int, bias: bool) -> None:
    x = torch.randn(BATCH, time, CHANNELS, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(CHANNELS, 4, dtype=torch.float64, requires_grad=True)
    offset = torch.randn(CHANNELS, dtype=torch.float64, requires_grad=True) if bias else None
    padded = pad(x.transpose(1, 2), (3, 0))
    expected = conv1d(padded, weight.unsqueeze(1), offset, groups=CHANNELS).transpose(1, 2)
    torch.testing.assert_close(CausalConv.apply(x, weight, offset), expected)
    assert torch.autograd.gradcheck(CausalConv.apply, (x, weight, offset))


@pytest.fixture(params=[True, False], ids=["biases", "no biases"])
def mamba(request: pytest.FixtureRequest) -> MambaForCausalLM:
    config = MambaConfig(
        vocab_size=31,
        hidden_size=16,
        state_size=4,
        num_hidden_layers=2,
        time_step_rank=3,
        use_conv_bias=request.param,
        use_bias=request.param,
    )
    model = MambaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def tokens() -> Tensor:
    return torch.randint(31, (6, 9))


@pytest.mark.parametrize("padded", [False, True])
def test_logits_and_gradients_equal_those_of_transformers(
    mamba: MambaForCausalLM, padded: bool
) -> None:
    ours = use_cpu_scan(copy.deepcopy(mamba)).train()
    ids = tokens()
    mask = torch.ones_like(ids)
    if padded:
        mask[:3, -4:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask, "labels": ids}
    expected, actual = mamba.train()(**inputs), ours(**inputs)
    torch.testing.assert_close(actual.logits, expected.logits, rtol=1e-5, atol=1e-5)
    expected.loss.backward()
    actual.loss.backward()
    for (name, theirs), mine in zip(mamba.named_parameters(), ours.parameters(), strict=True):
        assert theirs.grad is not None, name
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_hidden_states_read_without_gradient_equal_those_of_transformers(
    mamba: MambaForCausalLM,
) -> None:
    ids = tokens()
    arguments = {"use_cache": False, "output_hidden_states": True}
    with torch.no_grad():
        expected = mamba.eval()(ids, **arguments).hidden_states
        actual = use_cpu_scan(mamba)(ids, **arguments).hidden_states
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_parameters_stay_and_a_second_call_changes_nothing(mamba: MambaForCausalLM) -> None:
    before = dict(mamba.named_parameters())
    assert use_cpu_scan(mamba) is mamba
    once = [type(module) for module in mamba.modules()]
    assert once.count(CpuScanMixer) == 2
    use_cpu_scan(mamba)
    assert [type(module) for module in mamba.modules()] == once
    after = dict(mamba.named_parameters())
    assert list(after) == list(before)
    assert all(after[name] is parameter for name, parameter in before.items())


def test_copies_use_their_own_parameters(mamba: MambaForCausalLM) -> None:
    ids = tokens()
    with torch.no_grad():
        expected = use_cpu_scan(mamba).train()(ids).logits
        copies = [copy.deepcopy(mamba), pickle.loads(pickle.dumps(mamba))]
        for parameter in mamba.parameters():
            parameter.zero_()
        for model in copies:
            torch.testing.assert_close(model(ids).logits, expected, rtol=0, atol=0)


def test_cached_generation_falls_back_and_stays_the_same(
    mamba: MambaForCausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    ids = tokens()
    expected = mamba.eval().generate(ids, **arguments)
    ours = use_cpu_scan(mamba)
    torch.testing.assert_close(ours.generate(ids, use_cache=False, **arguments), expected)
    monkeypatch.setattr("finetune.architectures.scan._scan", None)
    torch.testing.assert_close(ours.generate(ids, use_cache=True, **arguments), expected)
    with pytest.raises(TypeError):
        ours(ids, use_cache=False)


def test_half_precision_and_autocast_fall_back(mamba: MambaForCausalLM) -> None:
    ids = tokens()
    ours = use_cpu_scan(copy.deepcopy(mamba)).train()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ours(ids).logits, mamba.train()(ids).logits)
    with torch.no_grad():
        assert torch.equal(ours.bfloat16()(ids).logits, mamba.bfloat16()(ids).logits)


@pytest.mark.parametrize("scan_first", [True, False])
def test_lora_on_in_proj_trains_as_in_transformers(
    mamba: MambaForCausalLM, scan_first: bool
) -> None:
    def with_lora(model: MambaForCausalLM) -> torch.nn.Module:
        torch.manual_seed(1)
        lora = LoraConfig(r=2, target_modules=["in_proj"], init_lora_weights=False)
        return get_peft_model(model, lora).train()

    theirs = with_lora(copy.deepcopy(mamba))
    ours = with_lora(use_cpu_scan(mamba)) if scan_first else use_cpu_scan(with_lora(mamba))
    ids = tokens()
    theirs(input_ids=ids, labels=ids).loss.backward()
    ours(input_ids=ids, labels=ids).loss.backward()
    trained = 0
    for (name, expected), actual in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        if expected.requires_grad:
            torch.testing.assert_close(actual.grad, expected.grad, rtol=1e-4, atol=1e-6, msg=name)
            trained += 1
        else:
            assert actual.grad is None
    assert trained == 4


def test_models_without_mamba_are_left_alone() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    assert use_cpu_scan(model) is model
    assert type(model[0]) is torch.nn.Linear
