"""Checks of half-precision states, of saving and loading, and of fitting on a GPU."""

import tempfile
from dataclasses import replace

import torch

from probes.base import Probe
from probes.checks.fixtures import (
    are_close,
    fit_probe,
    make_test_data,
    make_train_data,
    require,
    score_data,
)
from probes.linear import LinearProbe


def reads_half_precision(cls: type[Probe]) -> None:
    """Check that bf16 states score as the same numbers in float32."""
    train, test = make_train_data(cls), make_test_data(cls)
    half = [replace(data, x=data.x.to(torch.bfloat16)) for data in (train, test)]
    full = [replace(data, x=data.x.float()) for data in half]
    scores = score_data(fit_probe(cls, half[0]), half[1])
    require(
        scores.dtype in (torch.float32, torch.float64)
        and are_close(score_data(fit_probe(cls, full[0]), full[1]), scores.float()),
        "bf16 states are scored differently from the same numbers in float32",
    )


def saves_and_loads(cls: type[Probe]) -> str | None:
    """Check that a linear probe is loaded as it was saved, bit for bit."""
    if not issubclass(cls, LinearProbe):
        return "it is not a LinearProbe"
    test = make_test_data(cls, (2,))
    probe = fit_probe(cls, make_train_data(cls, (2,)))
    assert isinstance(probe, LinearProbe)
    with tempfile.TemporaryDirectory() as folder:
        probe.save(folder)
        loaded = cls.load(folder)
    require(
        torch.equal(loaded.weight, probe.weight) and torch.equal(loaded.bias, probe.bias),
        "`weight` and `bias` change when they are saved and loaded",
    )
    require(
        torch.equal(score_data(loaded, test), score_data(probe, test)),
        "a probe that was saved and loaded scores differently",
    )
    return None


def agrees_on_gpu(cls: type[Probe]) -> str | None:
    """Check that states on a CUDA device are scored there, and as on the CPU."""
    if not torch.cuda.is_available():
        return "this machine has no CUDA device"
    train, test = make_train_data(cls), make_test_data(cls)
    cpu_scores = score_data(fit_probe(cls, train), test)
    train, test = (replace(data, x=data.x.cuda()) for data in (train, test))
    gpu_scores = score_data(fit_probe(cls, train), test)
    require(gpu_scores.is_cuda, "states on the GPU must be scored there")
    require(are_close(cpu_scores, gpu_scores.cpu()), "CPU and GPU score differently")
    return None
