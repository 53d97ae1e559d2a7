"""What differs between model families: where blocks are, what LoRA may adapt, which code runs."""

from finetune.architectures.blocks import block_list, exact_config, is_mamba_mixer, unwrap
from finetune.architectures.devices import input_device
from finetune.architectures.kernels import KERNELS, code_path
from finetune.architectures.lora_targets import (
    LORA_TARGETS,
    bypassed_modules,
    default_targets,
    trainable_modules,
    untrainable_modules,
)
from finetune.architectures.scan import selective_scan, use_cpu_scan

__all__ = [
    "KERNELS",
    "LORA_TARGETS",
    "block_list",
    "bypassed_modules",
    "code_path",
    "default_targets",
    "exact_config",
    "input_device",
    "is_mamba_mixer",
    "selective_scan",
    "trainable_modules",
    "untrainable_modules",
    "unwrap",
    "use_cpu_scan",
]
