"""Which code runs a model: the scan of this package, transformers, or CUDA kernels."""

from importlib import import_module

from torch import nn

from finetune.architectures.blocks import is_mamba_mixer, unwrap
from finetune.architectures.scan import SCANNED, CpuScanMixer


def code_path(model: nn.Module) -> str:
    """Say which code runs this model, where it lies and with what is installed."""
    model = unwrap(model)
    weight = next(model.parameters())
    device = weight.device.type
    mixers = [module for module in model.modules() if is_mamba_mixer(module)]
    scans = all(isinstance(mixer, CpuScanMixer) for mixer in mixers)
    if mixers and scans and device == "cpu" and weight.dtype in SCANNED:
        return "finetune.architectures.scan (cpu)"
    kernels = [package for package in KERNELS if device == "cuda" and _imports(package)]
    return ", ".join([f"transformers ({device})", *kernels])


KERNELS = ("mamba_ssm", "causal_conv1d", "fla")
"""Packages whose CUDA kernels transformers calls where they can be imported."""


def _imports(package: str) -> bool:
    try:
        import_module(package)
    except Exception:  # whatever a build for another CUDA or another torch may raise
        return False
    return True
