"""Hub repositories: their files, checkpoints of models, and whether these fit on this machine."""

from finetune.hub.checkpoints import (
    Checkpoint,
    check_hub_weights,
    check_local_weights,
    download_bytes,
    resolve_checkpoint,
    resolve_commit,
    weight_files,
)
from finetune.hub.client import hub_file, is_hub_id
from finetune.hub.resources import (
    check_memory,
    device_memory,
    format_bytes,
    free_disk,
    total_memory,
)

__all__ = [
    "Checkpoint",
    "check_hub_weights",
    "check_local_weights",
    "check_memory",
    "device_memory",
    "download_bytes",
    "format_bytes",
    "free_disk",
    "hub_file",
    "is_hub_id",
    "resolve_checkpoint",
    "resolve_commit",
    "total_memory",
    "weight_files",
]
