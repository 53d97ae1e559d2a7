"""LoRA adapters: adding, auditing, describing, loading and merging them."""

from finetune.adapters.audit import AUDIT, DeadModuleAudit, relative_changes
from finetune.adapters.card import write_card
from finetune.adapters.loading import (
    adapter_base,
    adapter_folder,
    apply_adapter,
    check_adapter_fits,
    is_adapter,
    requires_merging,
)
from finetune.adapters.lora import add_lora, check_targets, save_adapter

__all__ = [
    "AUDIT",
    "DeadModuleAudit",
    "adapter_base",
    "adapter_folder",
    "add_lora",
    "apply_adapter",
    "check_adapter_fits",
    "check_targets",
    "is_adapter",
    "relative_changes",
    "requires_merging",
    "save_adapter",
    "write_card",
]
