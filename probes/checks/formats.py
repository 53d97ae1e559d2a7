"""The same states in half precision, the same probe from its folder, the same fit on a GPU."""

import tempfile
from dataclasses import replace

import torch

from probes.base import LinearProbe, Probe
from probes.checks.trial import alike, fitted, require, scores_of, seen, unseen


def reads_half_precision(cls: type[Probe]) -> None:
    """bf16 states are scored as the same numbers in float32."""
    train, test = seen(cls), unseen(cls)
    half = [replace(d, x=d.x.to(torch.bfloat16)) for d in (train, test)]
    full = [replace(d, x=d.x.float()) for d in half]
    scores = scores_of(fitted(cls, half[0]), half[1])
    require(
        scores.dtype in (torch.float32, torch.float64)
        and alike(scores_of(fitted(cls, full[0]), full[1]), scores.float()),
        "bf16 states are scored differently from the same numbers in float32",
    )


def saves_and_loads(cls: type[Probe]) -> str | None:
    """A linear probe comes back from its folder bit for bit."""
    if not issubclass(cls, LinearProbe):
        return "it is no LinearProbe"
    test = unseen(cls, (2,))
    probe = fitted(cls, seen(cls, (2,)))
    assert isinstance(probe, LinearProbe)
    with tempfile.TemporaryDirectory() as folder:
        probe.save(folder)
        loaded = cls.load(folder)
    require(
        torch.equal(loaded.weight, probe.weight) and torch.equal(loaded.bias, probe.bias),
        "`weight` and `bias` change when they are saved and loaded",
    )
    require(
        torch.equal(scores_of(loaded, test), scores_of(probe, test)),
        "a probe that was saved and loaded scores differently",
    )
    return None


def agrees_on_gpu(cls: type[Probe]) -> str | None:
    """States on a CUDA device are scored there, and as on the CPU."""
    if not torch.cuda.is_available():
        return "this machine has no CUDA device"
    train, test = seen(cls), unseen(cls)
    here = scores_of(fitted(cls, train), test)
    train, test = (replace(data, x=data.x.cuda()) for data in (train, test))
    there = scores_of(fitted(cls, train), test)
    require(there.is_cuda, "states on the GPU must be scored there")
    require(alike(here, there.cpu()), "CPU and GPU score differently")
    return None
