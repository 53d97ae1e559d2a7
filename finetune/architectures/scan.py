"""Mamba's selective scan on a CPU.

Without CUDA kernels transformers runs Mamba in plain PyTorch, which materialises tensors of shape
(batch, channels, time, state) several times under autograd. Here the recurrence runs through time
in place and its gradient is written by hand, so training and reading a small Mamba on a CPU cost
little more than its matrix products.

Method: Gu & Dao 2023, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv
2312.00752, section 3.3 and algorithm 2.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, silu, softplus
from transformers.models.mamba.modeling_mamba import MambaMixer

Model = TypeVar("Model", bound=nn.Module)

# State elements in one slice of the batch: few enough that the tensors of a time step stay in a
# core's cache, many enough that the cost of calling an operation is negligible.
_SLICE_ELEMENTS = 1 << 17


SCANNED = (torch.float32, torch.float64)
"""The precisions that this scan supports."""


def selective_scan(
    u: Float[Tensor, "batch time channels"],
    dt: Float[Tensor, "batch time channels"],
    A: Float[Tensor, "channels state"],
    B: Float[Tensor, "batch time state"],
    C: Float[Tensor, "batch time state"],
    D: Float[Tensor, " channels"],
) -> Float[Tensor, "batch time channels"]:
    """Run the selective state space model over a batch of sequences, from a state of zero.

    For every channel, with `dt` the step size *after* softplus,

        h[t] = exp(dt[t] A) h[t-1] + dt[t] B[t] u[t],        y[t] = C[t] . h[t] + D u[t].

    Differentiable once in all six inputs, which must share one floating-point dtype. If a gradient
    is required, 2 x batch x time x state x channels numbers are stored for the backward pass.

    Source: Gu & Dao 2023, arXiv 2312.00752, section 3.3 and algorithm 2.
    """
    inputs = (u, dt, A, B, C, D)
    if torch.is_grad_enabled() and any(x.requires_grad for x in inputs):
        return SelectiveScan.apply(*inputs)
    return _scan(*inputs, keep_states=False)[0]


class SelectiveScan(Function):
    """The scan and its gradient; states have the shape (time, batch, state, channels)."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor
    ) -> Tensor:
        """Run the scan, and store its states and decays for `backward`."""
        y, states, decays = _scan(u, dt, A, B, C, D, keep_states=True)
        ctx.save_for_backward(u, dt, A, B, C, D, states, decays)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        """Run backwards through time with the gradient of the state."""
        u, dt, A, B, C, D, states, decays = ctx.saved_tensors
        needs_u, needs_dt, needs_A, needs_B, needs_C, needs_D = ctx.needs_input_grad
        batch, time, channels = u.shape
        A_t = A.t().contiguous()
        x = dt * u
        grad_x = x.new_empty(time, batch, 1, channels)
        grad_dt = x.new_zeros(time, batch, channels)
        grad_A_t = torch.zeros_like(A_t)
        grad_B = x.new_empty(time, batch, 1, A.shape[1])
        grad_C = torch.empty_like(grad_B)
        for rows in _slices(states):
            grad_state = torch.zeros_like(states[0, rows])
            product, scratch = torch.empty_like(grad_state), torch.empty_like(grad_state)
            for t in reversed(range(time)):
                if needs_C:
                    torch.bmm(grad_y[rows, t, None, :], states[t, rows].mT, out=grad_C[t, rows])
                grad_state.addcmul_(C[rows, t, :, None], grad_y[rows, t, None, :])
                torch.bmm(B[rows, t, None, :], grad_state, out=grad_x[t, rows])
                if needs_B:
                    torch.bmm(x[rows, t, None, :], grad_state.mT, out=grad_B[t, rows])
                grad_state.mul_(decays[t, rows])
                if t > 0 and (needs_dt or needs_A):
                    # The derivative by the exponent dt[t] A.
                    torch.mul(grad_state, states[t - 1, rows], out=product)
                    if needs_A:
                        grad_A_t += torch.mul(product, dt[rows, t, None, :], out=scratch).sum(0)
                    if needs_dt:
                        torch.sum(product.mul_(A_t), dim=1, out=grad_dt[t, rows])
        grad_x = grad_x.squeeze(2).transpose(0, 1)
        return (
            torch.addcmul(grad_x * dt, grad_y, D) if needs_u else None,
            torch.addcmul(grad_dt.transpose(0, 1), grad_x, u) if needs_dt else None,
            grad_A_t.t() if needs_A else None,
            grad_B.squeeze(2).transpose(0, 1) if needs_B else None,
            grad_C.squeeze(2).transpose(0, 1) if needs_C else None,
            (grad_y * u).sum(dim=(0, 1)) if needs_D else None,
        )


def _scan(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, keep_states: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return y, and the states and decays of all time steps, or only of the last."""
    batch, time, channels = u.shape
    A_t = A.t().contiguous()
    x = dt * u
    states = x.new_empty(time if keep_states else 1, batch, A.shape[1], channels)
    decays = torch.empty_like(states)
    y = x.new_empty(time, batch, 1, channels)
    for rows in _slices(states):
        previous = None
        for t in range(time):
            slot = t if keep_states else 0
            state, decay = states[slot, rows], decays[slot, rows]
            torch.mul(dt[rows, t, None, :], A_t, out=decay).exp_()
            if previous is None:
                torch.mul(B[rows, t, :, None], x[rows, t, None, :], out=state)
            else:
                torch.mul(previous, decay, out=state)
                state.addcmul_(B[rows, t, :, None], x[rows, t, None, :])
            torch.bmm(C[rows, t, None, :], state, out=y[t, rows])
            previous = state
    return torch.addcmul(y.squeeze(2).transpose(0, 1), u, D), states, decays


def _slices(states: Float[Tensor, "time batch state channels"]) -> Iterator[slice]:
    """Yield slices of the batch whose states fit into the cores' caches."""
    _, batch, state, channels = states.shape
    threads = torch.get_num_threads()
    rows = max(1, threads * _SLICE_ELEMENTS // (state * channels))
    return (slice(start, start + rows) for start in range(0, batch, rows))


class CausalConv(Function):
    """Depthwise causal convolution as a sum of shifted products, time before channels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Sum the products of `weight` (channels, taps) and the inputs at each lag."""
        ctx.save_for_backward(x, weight)
        taps = weight.t().flip(0).contiguous()
        y = x * taps[0] if bias is None else torch.addcmul(bias, x, taps[0])
        for lag in range(1, min(len(taps), x.shape[1])):
            y[:, lag:].addcmul_(x[:, :-lag], taps[lag])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        """Shift the gradient back by the lag of each tap."""
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        taps = weight.t().flip(0).contiguous()
        grad_x = grad_y * taps[0] if needs_x else None
        grad_taps = torch.zeros_like(taps)
        for lag in range(min(len(taps), x.shape[1])):
            later, earlier = grad_y[:, lag:], x[:, : x.shape[1] - lag]
            if grad_x is not None and lag > 0:
                grad_x[:, :-lag].addcmul_(later, taps[lag])
            if needs_weight:
                grad_taps[lag] = (later * earlier).sum(dim=(0, 1))
        grad_weight = grad_taps.flip(0).t() if needs_weight else None
        return grad_x, grad_weight, grad_y.sum(dim=(0, 1)) if needs_bias else None


class CpuScanMixer(MambaMixer):
    """transformers' Mamba mixer that uses `selective_scan` on a CPU.

    It does so for float32 and float64 tensors, without a cache and without autocast. Anything else
    (CUDA, half precision, cached generation) takes transformers' own path.
    """

    def forward(
        self,
        hidden_states: Float[Tensor, "batch time hidden"],
        cache_params: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Float[Tensor, "batch time hidden"]:
        """Mix the tokens of each sequence; arguments as in `MambaMixer.forward`."""
        if cache_params is not None or args or not self._scans(hidden_states):
            return super().forward(hidden_states, cache_params, *args, **kwargs)
        mask = kwargs.get("attention_mask")
        x, gate = self.in_proj(_masked(hidden_states, mask)).chunk(2, dim=-1)
        x = CausalConv.apply(x, self.conv1d.weight.squeeze(1), self.conv1d.bias)
        x = _masked(self.act(x), mask)
        rank, state = self.time_step_rank, self.ssm_state_size
        dt, B, C = self.x_proj(x).split([rank, state, state], dim=-1)
        # The raw weight, as transformers' paths and kernels use it, not the module's forward.
        dt = softplus(linear(dt, self.dt_proj.weight, self.dt_proj.bias))
        A = -torch.exp(self.A_log.float()).to(x.dtype)
        y = selective_scan(x, dt, A, B, C, self.D)
        return self.out_proj(y * silu(gate))

    def _scans(self, hidden_states: Tensor) -> bool:
        return (
            hidden_states.device.type == self.conv1d.weight.device.type == "cpu"
            and hidden_states.dtype == self.conv1d.weight.dtype
            and hidden_states.dtype in SCANNED
            and not torch.is_autocast_enabled("cpu")
        )


def _masked(
    hidden_states: Float[Tensor, "batch time width"], mask: Tensor | None
) -> Float[Tensor, "batch time width"]:
    return hidden_states if mask is None else hidden_states * mask[:, :, None].to(hidden_states)


def use_cpu_scan(model: Model) -> Model:
    """Make every Mamba mixer of a model use `selective_scan` on a CPU, in place.

    Parameters, their names and the results do not change, and a second call has no effect. Models
    without a Mamba-1 mixer, such as Mamba-2, are returned unchanged. LoRA may be added before or
    after.

    Returns:
        The same model.
    """
    for module in model.modules():
        # The class of the instance is replaced rather than its `forward`, so the model can still be
        # copied and pickled, and a `forward` that accelerate has wrapped stays in place. Subclasses
        # may compute something else, so they are left alone.
        if type(module) is MambaMixer:
            module.__class__ = CpuScanMixer
    return model
