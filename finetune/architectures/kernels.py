"""Which code runs a model: transformers, CUDA kernels, or the scan of this package."""

from importlib import import_module

from torch import nn

from finetune.architectures.blocks import is_mamba_mixer, unwrap
from finetune.architectures.scan import SCANNED, CpuScanMixer

KERNELS = ("mamba_ssm", "causal_conv1d", "fla")
"""Packages whose CUDA kernels transformers uses if they can be imported."""


def code_path(model: nn.Module) -> str:
    """Return a name for the code that runs this model on its device, with what is installed.

    Examples are "transformers (cpu)" and "transformers (cuda), mamba_ssm, causal_conv1d".
    """
    model = unwrap(model)
    weight = next(model.parameters())
    device = weight.device.type
    mixers = [module for module in model.modules() if is_mamba_mixer(module)]
    use_scan = all(isinstance(mixer, CpuScanMixer) for mixer in mixers)
    if mixers and use_scan and device == "cpu" and weight.dtype in SCANNED:
        return "finetune.architectures.scan (cpu)"
    kernels = [package for package in KERNELS if device == "cuda" and _can_import(package)]
    return ", ".join([f"transformers ({device})", *kernels])


def _can_import(package: str) -> bool:
    try:
        import_module(package)
    except Exception:  # a build for another version of CUDA or torch may raise anything
        return False
    return True
