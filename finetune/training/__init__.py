"""Fine-tuning: settings, training data, the training loop, several processes.

Light to import: `make_quirky` must be imported from `finetune.training.trainer`, which loads torch
and transformers.
"""

from finetune.training.settings import FinetuneSettings, check_batch

__all__ = ["FinetuneSettings", "check_batch"]
